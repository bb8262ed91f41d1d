import type { CallWithChannels } from '../../model/ports.ts';
import type { StreamRecord } from '../../model/record.ts';
import type { ScoreInputs } from '../../model/score.ts';
import { codecImpairment, codecSettings } from '../../score/codec-impairment.ts';
import { percentIn5S } from '../../score/mes.ts';
import { meanOfKnown } from '../../score/verdict.ts';
import { advantageOf, type ScoringRules } from '../scoring-rules.ts';

/** The inputs of the score of each direction of a stored call that had one, to score it with other numbers. */
export function storedDirections(
  { channels }: Pick<CallWithChannels, 'channels'>,
  rules: ScoringRules,
): { readonly directions: readonly ScoreInputs[]; readonly mosCq: number | null } {
  const streams = channels.flatMap(({ endpoint, device, site, deviceDetails, streams: own }) => {
    const advantage = advantageOf({ endpoint, device, site, network: deviceDetails?.networkKind ?? null }, rules);
    return own.map((stream) => ({ advantage, stream }));
  });
  return {
    directions: streams.flatMap(({ advantage, stream }) => inputsOf(stream, advantage, rules) ?? []),
    mosCq: meanOfKnown(streams.map(({ stream }) => stream.mosCq)),
  };
}

/** Undefined: the direction has no score. A direction in which nothing arrived lost all its packets. */
function inputsOf(stream: StreamRecord, advantage: number, rules: ScoringRules): ScoreInputs | undefined {
  const { direction, codec, mes, rttMs, jitterMs, lossPercent, lostPacketsPerReportMean, verdict } = stream;
  if (mes === null) return undefined;
  const isDead = verdict === 'no-media' || verdict === 'one-way-rx' || verdict === 'one-way-tx';
  const lostPacketsMean = lostPacketsPerReportMean ?? 0;
  return {
    direction,
    rttMeanMs: rttMs.mean ?? undefined,
    jitterMeanMs: jitterMs.mean ?? 0,
    jitterLastMs: jitterMs.last ?? 0,
    jitterStdevMs: jitterMs.stdev ?? 0,
    lostPacketsMean,
    // Only Asterisk's own faulty profile takes it.
    cumulativeLostMean: 0,
    lossPercent: isDead ? 100 : (lossPercent ?? Math.min(100, percentIn5S(lostPacketsMean))),
    codecDelayMs: codec === null ? undefined : codecSettings(codec, rules.codecs)?.delayMs,
    codec: codec === null ? undefined : codecImpairment(codec, rules.codecs),
    advantage,
  };
}
