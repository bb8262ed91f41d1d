import type { PbxEvent } from '../../model/event.ts';
import type { PhoneMetrics, PhoneReport } from '../../model/phones/phone-report.ts';
import { milliseconds, numberWithin } from '../vq-report/values.ts';

/**
 * What a phone says of a call in its BYE: `X-RTP-Stat` (AVM's, which baresip sends as well) has `PR=399;PS=400;PL=0,0;JI=2.0,4.0`, the
 * received direction first; `P-RTP-Stat` (Cisco's) has `PS=400,PR=399,PL=0,JI=2,LA=40`. Both are read alike: `KEY=` up to the next one.
 */
const PAIR = /([A-Z]{2})=([^;|]{0,200}?)(?=[;,]\s*[A-Z]{2}=|;|\||$)/g;
const LONGEST = 1000;
const MOST_PACKETS = 0xffff_ffff;
const PERCENT = 100;

/** Reads one header, or several separated by `|`. Undefined: they do not say what the phone received. */
export function readRtpStat(text: string): PhoneReport | undefined {
  const values = new Map<string, string>();
  for (const [, key = '', value = ''] of text.slice(0, LONGEST).matchAll(PAIR))
    if (!values.has(key)) values.set(key, value.trim());
  // If there are two numbers, the first is about what the phone received.
  const first = (key: string): string | undefined => values.get(key)?.split(',')[0];
  const received = numberWithin(first('PR'), 0, MOST_PACKETS);
  const lost = numberWithin(first('PL'), 0, MOST_PACKETS);
  const discarded = numberWithin(first('PD'), 0, MOST_PACKETS);
  if (received === null || received === 0) return undefined;
  return {
    kind: 'bye',
    callId: null,
    localId: null,
    remoteId: null,
    local: NOWHERE,
    remote: NOWHERE,
    localMetrics: {
      ...NOTHING,
      codec: codecOf(values.get('DE')),
      networkLossPercent: lost === null ? null : (PERCENT * lost) / (received + lost),
      discardPercent: discarded === null || discarded > received ? null : (PERCENT * discarded) / received,
      interarrivalJitterMs: milliseconds(first('JI')),
    },
    remoteMetrics: null,
    alert: null,
  };
}

/** Asterisk has it from the request itself, so it is the phone's. */
export function byeReport(
  uniqueid: string,
  report: PhoneReport,
  atMs: number,
): Extract<PbxEvent, { type: 'xr-report' }> {
  return { type: 'xr-report', atMs, uniqueid, received: { report, atMs, fromAddress: '', userAgent: null } };
}

/** `PCMU/8000`, `PCMA,FAX`: the decoder, which is what it received. */
function codecOf(text: string | undefined): string | null {
  return /^([A-Za-z][A-Za-z0-9._-]{0,31})(?:[/,]|$)/.exec(text ?? '')?.[1]?.toLowerCase() ?? null;
}

const NOWHERE = { address: null, port: null, ssrc: null } as const;

const NOTHING: PhoneMetrics = {
  startAtMs: null,
  stopAtMs: null,
  payloadType: null,
  codec: null,
  clockRateHz: null,
  frameDurationMs: null,
  framesPerPacket: null,
  packetsPerS: null,
  plc: null,
  jba: null,
  jbRate: null,
  jbNominalMs: null,
  jbMaximumMs: null,
  jbAbsMaxMs: null,
  networkLossPercent: null,
  discardPercent: null,
  burstLossPercent: null,
  burstDurationMs: null,
  gapLossPercent: null,
  gapDurationMs: null,
  gmin: null,
  roundTripDelayMs: null,
  endSystemDelayMs: null,
  oneWayDelayMs: null,
  interarrivalJitterMs: null,
  meanAbsoluteJitterMs: null,
  signalLevelDbm: null,
  noiseLevelDbm: null,
  rerlDb: null,
  rLq: null,
  rCq: null,
  extRIn: null,
  extROut: null,
  mosLq: null,
  mosCq: null,
};
