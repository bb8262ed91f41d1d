import type { CapturedMedia } from '../../model/capture.ts';
import type { CaptureRecord } from '../../model/capture.ts';
import { codecImpairment } from '../../score/codec-impairment.ts';
import { burstRatio } from '../../stats/packets/burst-gap.ts';
import { unheardPercent } from '../../stats/packets/packet-tally.ts';
import { type DirectionRules, eModelOf } from '../directions/direction-score.ts';
import { capturedOf, type DirectionState, playedInSegment } from '../directions/direction-state.ts';
import type { ScoringRules } from '../scoring-rules.ts';
import { lastRoundTripMs, roundTripMeanMs } from '../directions/tally.ts';

/** BurstR (G.107 §7.5) is 1 for random loss; loss runs half as long again are bursts. */
const BURSTY_BURST_R = 1.5;

/** What the captured packets of a direction tell, with the E-model's quality by them; null: none was captured. */
export function captureRecord(
  state: DirectionState,
  own: DirectionRules,
  { codecs }: Pick<ScoringRules, 'codecs'>,
): CaptureRecord | null {
  const media = capturedOf(state);
  if (media === null) return null;
  const rttMeanMs = roundTripMeanMs(state.total);
  const { tally } = media;
  const session = playedInSegment(state);
  return {
    media,
    ...(session === undefined ? {} : { session }),
    roundTripMs: lastRoundTripMs(state.total) ?? null,
    ...eModelOf({
      codec: media.codec === null ? own.codec : codecImpairment(media.codec, codecs),
      lossPercent: unheardPercent(tally),
      packetsReceived: tally.packetsReceived,
      rttMeanMs,
      advantage: own.advantage,
      burstR: burstRatio(tally.burstGap),
    }),
  };
}

/** How packets were lost, or came too late to be played. */
export interface LossShape {
  /** All of them in one row. */
  readonly isOneGap: boolean;
  readonly isBursty: boolean;
  readonly longestGapMs: number;
}

/** Undefined: nothing was lost, or the packets do not tell, because we missed some ourselves or do not know their length. */
export function howPacketsWereLost({ tally, droppedByKernel, interruptions }: CapturedMedia): LossShape | undefined {
  const { burstGap, longestLossMs } = tally;
  if (burstGap.lossRuns === 0 || longestLossMs === null || droppedByKernel + interruptions > 0) return undefined;
  return {
    isOneGap: burstGap.lossRuns === 1 && burstGap.longestLossRun > 1,
    isBursty: (burstRatio(burstGap) ?? 1) >= BURSTY_BURST_R,
    longestGapMs: longestLossMs,
  };
}
