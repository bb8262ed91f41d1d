import type { ReportBlock, Reporter, RtcpReport, SenderInfo } from '../model/report.ts';
import { secondsToMs, SEQUENCE_CYCLE_PACKETS, signed24 } from '../units/rtp.ts';
import type { AmiMessage } from './ami.ts';
import type { MediaAddresses } from '../model/event.ts';
import { MAX_UINT16, MAX_UINT32, MAX_UINT8, readDecimal, readSsrc, readUnsigned } from './number-text.ts';

const PT_SENDER_REPORT = '200';
const MAX_REPORT_BLOCKS = 31;
const MAX_SECONDS = 1e12;
const MAX_NATIVE_MES = 100;

/**
 * Reads the RTCP part of an `RTCPSent` (local) or `RTCPReceived` (remote) event; `malformed` when a needed header is
 * missing or out of range.
 *
 * The event's own `SSRC` header is read in `RTCPSent` only: in `RTCPReceived` it holds seconds of the NTP time (22.10.1
 * and 16.28).
 */
export function readRtcpReport(message: AmiMessage, reporter: Reporter): RtcpReport | 'malformed' {
  // A search for what is not there is the slowest one, and what we send has no round trip.
  const rttS = reporter === 'local' ? undefined : readDecimal(message.get('RTT'), 0, MAX_SECONDS);
  const nativeMes100 = readDecimal(message.get('MES'), 0, MAX_NATIVE_MES);
  const senderSsrc = reporter === 'local' ? readSsrc(message.get('SSRC')) : undefined;
  const packetType = message.get('PT');
  const reportCount = readUnsigned(message.get('ReportCount'), MAX_REPORT_BLOCKS);
  if (reportCount === undefined || packetType === undefined) return 'malformed';

  const isSenderReport = packetType.startsWith(PT_SENDER_REPORT);
  const sender = isSenderReport ? readSenderInfo(message) : undefined;
  const block = reportCount > 0 ? readReportBlock(message) : undefined;
  if (isSenderReport && sender === undefined) return 'malformed';
  if (reportCount > 0 && block === undefined) return 'malformed';

  return {
    reporter,
    sender,
    block,
    rttMs: rttS === undefined ? undefined : secondsToMs(rttS),
    senderSsrc,
    nativeMes100,
  };
}

/** Where the report was sent from and to. Only a copy of the headers: most readers have no use for them. */
export function readRtcpAddresses(message: AmiMessage, reporter: Reporter): MediaAddresses {
  const to = message.get('To');
  const from = message.get('From');
  return reporter === 'local'
    ? { protocol: 'rtcp', local: from, remote: to }
    : { protocol: 'rtcp', local: to, remote: from };
}

function readSenderInfo(message: AmiMessage): SenderInfo | undefined {
  const ntpS = readDecimal(message.get('SentNTP'), 0, MAX_SECONDS);
  const rtpTicks = readUnsigned(message.get('SentRTP'), MAX_UINT32);
  const sentPackets = readUnsigned(message.get('SentPackets'), MAX_UINT32);
  const sentOctets = readUnsigned(message.get('SentOctets'), MAX_UINT32);
  if (ntpS === undefined || rtpTicks === undefined || sentPackets === undefined || sentOctets === undefined) {
    return undefined;
  }
  return { ntpS, rtpTicks, sentPackets, sentOctets };
}

function readReportBlock(message: AmiMessage): ReportBlock | undefined {
  const sourceSsrc = readSsrc(message.get('Report0SourceSSRC'));
  const fractionLostQ8 = readUnsigned(message.get('Report0FractionLost'), MAX_UINT8);
  // Printed unsigned, in 32 bits by some releases; the field has 24.
  const cumulativeLost = readUnsigned(message.get('Report0CumulativeLost'), MAX_UINT32);
  const highestSequence = readUnsigned(message.get('Report0HighestSequence'), MAX_UINT16);
  const cycles = readUnsigned(message.get('Report0SequenceNumberCycles'), MAX_UINT16);
  const jitterTicks = readUnsigned(message.get('Report0IAJitter'), MAX_UINT32);
  const lsrNtp32 = readUnsigned(message.get('Report0LSR'), MAX_UINT32);
  const dlsrS = readDecimal(message.get('Report0DLSR'), 0, MAX_SECONDS);
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
