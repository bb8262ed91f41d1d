import type { PhoneMetrics } from '../../model/phones/phone-report.ts';
import { withoutEmptyZeros } from './empty-zeros.ts';
import { type ReportLine, reportPairs } from './lines.ts';
import { echoReturnLoss, level, milliseconds, moment, numberWithin, opinion, rating } from './values.ts';

const Q8_ONE = 256;

/** What a single line does not tell about a report's dialect. */
export interface Dialect {
  /** Losses are written as fractions of 256, as RFC 3611 has them, where RFC 6035 says percent. */
  readonly lossesAreQ8: boolean;
}

/** Line names, in lower case, that make up a part of the metrics; other lines are extensions. */
export const METRICS_LINES: ReadonlySet<string> = new Set([
  'timestamps',
  'sessiondesc',
  'jitterbuffer',
  'packetloss',
  'burstgaploss',
  'delay',
  'signal',
  'qualityest',
]);

/** Reads the lines under `LocalMetrics:` or `RemoteMetrics:`. */
export function readMetrics(lines: readonly ReportLine[], { lossesAreQ8 }: Dialect): PhoneMetrics {
  const listOf = (name: string): ReadonlyMap<string, string> =>
    reportPairs(lines.find((line) => line.name === name)?.value ?? '');
  const times = listOf('timestamps');
  const session = listOf('sessiondesc');
  const buffer = listOf('jitterbuffer');
  const loss = listOf('packetloss');
  const burstGap = listOf('burstgaploss');
  const delay = listOf('delay');
  const signal = listOf('signal');
  const quality = listOf('qualityest');
  const lossPercent = (text: string | undefined): number | null =>
    lossesAreQ8 ? scaled(numberWithin(text, 0, Q8_ONE - 1)) : numberWithin(text, 0, 100);
  const metrics: PhoneMetrics = {
    startAtMs: moment(times.get('START')),
    stopAtMs: moment(times.get('STOP')),
    payloadType: numberWithin(session.get('PT'), 0, 127),
    codec: codecName(session.get('PD')),
    clockRateHz: numberWithin(session.get('SR'), 1, 192_000),
    frameDurationMs: positive(milliseconds(session.get('FD'))),
    framesPerPacket: positive(numberWithin(session.get('FPP'), 0, 100)),
    packetsPerS: positive(numberWithin(session.get('PPS'), 0, 1000)),
    plc: positive(numberWithin(session.get('PLC'), 0, 3)),
    jba: positive(numberWithin(buffer.get('JBA'), 0, 3)),
    jbRate: numberWithin(buffer.get('JBR'), 0, 15),
    jbNominalMs: milliseconds(buffer.get('JBN')),
    jbMaximumMs: milliseconds(buffer.get('JBM')),
    jbAbsMaxMs: milliseconds(buffer.get('JBX')),
    networkLossPercent: lossPercent(loss.get('NLR')),
    discardPercent: lossPercent(loss.get('JDR')),
    burstLossPercent: lossPercent(burstGap.get('BLD')),
    burstDurationMs: milliseconds(burstGap.get('BD')),
    gapLossPercent: lossPercent(burstGap.get('GLD')),
    gapDurationMs: milliseconds(burstGap.get('GD')),
    gmin: positive(numberWithin(burstGap.get('GMIN'), 0, 255)),
    roundTripDelayMs: milliseconds(delay.get('RTD')),
    endSystemDelayMs: milliseconds(delay.get('ESD')),
    oneWayDelayMs: milliseconds(delay.get('SOWD') ?? delay.get('OWD')),
    interarrivalJitterMs: milliseconds(delay.get('IAJ')),
    meanAbsoluteJitterMs: milliseconds(delay.get('MAJ')),
    signalLevelDbm: level(signal.get('SL')),
    noiseLevelDbm: level(signal.get('NL')),
    rerlDb: echoReturnLoss(signal.get('RERL')),
    rLq: rating(quality.get('RLQ')),
    rCq: rating(quality.get('RCQ')),
    extRIn: rating(quality.get('EXTRI')),
    extROut: rating(quality.get('EXTRO')),
    mosLq: opinion(quality.get('MOSLQ')),
    mosCq: opinion(quality.get('MOSCQ')),
  };
  const opinions = [quality.get('MOSLQ'), quality.get('MOSCQ')];
  return withoutEmptyZeros(
    metrics,
    opinions.some((text) => numberWithin(text, 0, 0) === 0),
  );
}

/** An enumeration's or a size's 0 is "unspecified". */
function positive(value: number | null): number | null {
  return value === 0 ? null : value;
}

function scaled(q8: number | null): number | null {
  return q8 === null ? null : (q8 * 100) / Q8_ONE;
}

function codecName(text: string | undefined): string | null {
  return text !== undefined && /^[A-Za-z0-9._-]{1,32}(?:\/\d{1,6})?$/.test(text)
    ? (text.split('/')[0] ?? '').toLowerCase()
    : null;
}
