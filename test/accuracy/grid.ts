import type { NetworkProfile } from '../lab/network-profile.ts';

export type LossKind = 'none' | 'random' | 'bursty';

/** What one call's network is told to do, alike in both directions. */
export interface Cell {
  readonly lossPercent: number;
  readonly lossKind: LossKind;
  /** Each way. */
  readonly delayMs: number;
  /** Added to the delay: uniform from 0 to this. */
  readonly jitterMs: number;
}

export interface Grid {
  readonly cells: readonly Cell[];
  /** Not a whole number of report intervals: a report at the very end would count for one side only. */
  readonly callS: number;
}

type Loss = readonly [percent: number, kind: LossKind];

const NO_LOSS: Loss = [0, 'none'];
const LOSSES: readonly Loss[] = [
  NO_LOSS,
  ...[1, 3, 10, 20].map((percent): Loss => [percent, 'random']),
  ...[3, 10, 20].map((percent): Loss => [percent, 'bursty']),
];

export const FULL_GRID: Grid = { callS: 22.5, cells: product(LOSSES, [0, 50, 150, 400], [0, 20, 80]) };

/** One wave of calls, for a test. */
export const QUICK_GRID: Grid = {
  callS: 16.5,
  cells: product([NO_LOSS, [5, 'random'], [10, 'bursty']], [0, 100], [0, 40]),
};

function product(losses: readonly Loss[], delaysMs: readonly number[], jittersMs: readonly number[]): Cell[] {
  return losses.flatMap(([lossPercent, lossKind]) =>
    delaysMs.flatMap((delayMs) => jittersMs.map((jitterMs) => ({ lossPercent, lossKind, delayMs, jitterMs }))),
  );
}

/** In a bad spell this part of the packets is lost, and a spell is this many packets long on average. */
const BAD_LOSS_RATIO = 0.8;
const BAD_SPELL_PACKETS = 10;

/** What the relay is to be told for a cell. */
export function networkOf({ lossPercent, lossKind, delayMs, jitterMs }: Cell): Partial<NetworkProfile> {
  const lossRatio = lossPercent / 100;
  // A spell of lost RTCP would last as many packets, which is many seconds: only random loss takes reports, too.
  if (lossKind !== 'bursty') return { delayMs, jitterMs, lossRatio };
  const badRatio = lossRatio / BAD_LOSS_RATIO;
  const badToGood = 1 / BAD_SPELL_PACKETS;
  const goodToBad = (badToGood * badRatio) / (1 - badRatio);
  const burst = { goodToBad, badToGood, goodLossRatio: 0, badLossRatio: BAD_LOSS_RATIO };
  return { delayMs, jitterMs, burst, rtcp: 'delay' };
}
