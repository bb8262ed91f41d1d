import type { MediaAddresses, PbxEvent } from '../../model/event.ts';
import type { ReportBlock, Reporter, RtcpReport, SenderInfo } from '../../model/report.ts';
import { secondsToMs, SEQUENCE_CYCLE_PACKETS, signed24 } from '../../units/rtp.ts';
import type { AmiMessage, HeaderValues } from './ami.ts';
import { SNAPSHOT_HEADERS, snapshotOf } from './ami-snapshot.ts';
import { WholeEventLayout } from './header-layout.ts';
import { MAX_UINT16, MAX_UINT32, MAX_UINT8, readDecimal, readSigned, readSsrc, readUnsigned } from '../number-text.ts';

const PT_SENDER_REPORT = '200';
const MAX_REPORT_BLOCKS = 31;
const MAX_SECONDS = 1e12;
const MAX_NATIVE_MES = 100;
/** Below 0. */
const SMALLEST_24_BITS = 2 ** 23;

/**
 * The headers of an RTCP event as 16.28 and 22.10.1 print them. `MES` is missing before Asterisk 20, `RTT` in `RTCPSent`. Most
 * events of a busy server are RTCP, so the parser gets this layout and reads them in place.
 */
export const RTCP_EVENT = new WholeEventLayout(
  ['RTCPSent', 'RTCPReceived'],
  [
    '- Privilege',
    ...SNAPSHOT_HEADERS,
    'To',
    'From',
    ['RTT'],
    ['MES'],
    'SSRC',
    'PT',
    'ReportCount',
    ['SentNTP', 'SentRTP', 'SentPackets', 'SentOctets'],
    [
      'Report0SourceSSRC',
      'Report0FractionLost',
      'Report0CumulativeLost',
      'Report0HighestSequence',
      'Report0SequenceNumberCycles',
      'Report0IAJitter',
      'Report0LSR',
      'Report0DLSR',
    ],
  ],
);
const AT = RTCP_EVENT.places;

/**
 * Reads an `RTCPSent` (local) or `RTCPReceived` (remote) event; undefined when it names no channel, `malformed` when a needed
 * header is missing or out of range.
 */
export function readRtcpEvent(
  message: AmiMessage,
  atMs: number,
  reporter: Reporter,
): PbxEvent | undefined | 'malformed' {
  const values = RTCP_EVENT.read(message);
  // Without a channel snapshot nobody knows whose report this is, and its SSRC cannot be trusted.
  if (values[AT.Channel] === undefined) return undefined;
  const channel = snapshotOf(values, AT);
  const report = reportOf(values, reporter);
  if (channel === undefined || report === undefined) return 'malformed';
  return { type: 'rtcp', atMs, channel, report, addresses: addressesOf(values, reporter) };
}

/** Reads the `SSRC` header in `RTCPSent` only: in `RTCPReceived` it holds the seconds of the NTP time (16.28 and 22.10.1). */
function reportOf(values: HeaderValues, reporter: Reporter): RtcpReport | undefined {
  const packetType = values[AT.PT];
  const reportCount = readUnsigned(values[AT.ReportCount], MAX_REPORT_BLOCKS);
  if (reportCount === undefined || packetType === undefined) return undefined;

  const isSenderReport = packetType.startsWith(PT_SENDER_REPORT);
  const sender = isSenderReport ? senderInfoOf(values) : undefined;
  const block = reportCount > 0 ? reportBlockOf(values) : undefined;
  if (isSenderReport && sender === undefined) return undefined;
  if (reportCount > 0 && block === undefined) return undefined;

  const rttS = reporter === 'local' ? undefined : readDecimal(values[AT.RTT], 0, MAX_SECONDS);
  return {
    reporter,
    sender,
    block,
    hasMoreBlocks: reportCount > 1,
    rttMs: rttS === undefined ? undefined : secondsToMs(rttS),
    senderSsrc: reporter === 'local' ? readSsrc(values[AT.SSRC]) : undefined,
    nativeMes100: readDecimal(values[AT.MES], 0, MAX_NATIVE_MES),
  };
}

/** Where the report came from and went to, as the headers have it. It is not parsed here: most readers do not need it. */
function addressesOf(values: HeaderValues, reporter: Reporter): MediaAddresses {
  const to = values[AT.To];
  const from = values[AT.From];
  return reporter === 'local'
    ? { protocol: 'rtcp', local: from, remote: to }
    : { protocol: 'rtcp', local: to, remote: from };
}

function senderInfoOf(values: HeaderValues): SenderInfo | undefined {
  const ntpS = readDecimal(values[AT.SentNTP], 0, MAX_SECONDS);
  const rtpTicks = readUnsigned(values[AT.SentRTP], MAX_UINT32);
  const sentPackets = readUnsigned(values[AT.SentPackets], MAX_UINT32);
  const sentOctets = readUnsigned(values[AT.SentOctets], MAX_UINT32);
  if (ntpS === undefined || rtpTicks === undefined || sentPackets === undefined || sentOctets === undefined) {
    return undefined;
  }
  return { ntpS, rtpTicks, sentPackets, sentOctets };
}

function reportBlockOf(values: HeaderValues): ReportBlock | undefined {
  const sourceSsrc = readSsrc(values[AT.Report0SourceSSRC]);
  const fractionLostQ8 = readUnsigned(values[AT.Report0FractionLost], MAX_UINT8);
  // A signed field of 24 bits (RFC 3550 §6.4.1), which 16.28 and 22.10.1 print unsigned, some releases in 32 bits.
  const cumulativeLost = readSigned(values[AT.Report0CumulativeLost], -SMALLEST_24_BITS, MAX_UINT32);
  const highestSequence = readUnsigned(values[AT.Report0HighestSequence], MAX_UINT16);
  const cycles = readUnsigned(values[AT.Report0SequenceNumberCycles], MAX_UINT16);
  const jitterTicks = readUnsigned(values[AT.Report0IAJitter], MAX_UINT32);
  const lsrNtp32 = readUnsigned(values[AT.Report0LSR], MAX_UINT32);
  const dlsrS = readDecimal(values[AT.Report0DLSR], 0, MAX_SECONDS);
  if (
    sourceSsrc === undefined ||
    fractionLostQ8 === undefined ||
    cumulativeLost === undefined ||
    highestSequence === undefined ||
    cycles === undefined ||
    jitterTicks === undefined ||
    lsrNtp32 === undefined ||
    dlsrS === undefined
  ) {
    return undefined;
  }
  return {
    sourceSsrc,
    fractionLostQ8,
    cumulativeLostPackets: signed24(cumulativeLost),
    extendedHighestSequence: cycles * SEQUENCE_CYCLE_PACKETS + highestSequence,
    jitterTicks,
    lsrNtp32,
    dlsrS,
  };
}
