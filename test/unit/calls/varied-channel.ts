import fc from 'fast-check';
import { expect } from 'vitest';
import type { ChannelRecord, StreamRecord } from '../../../src/model/record.ts';
import { mesByPage } from '../by-formulas.ts';
import { playPieces } from '../field-case.ts';
import {
  type Direction,
  type EventShape,
  type MadeBlock,
  type MadeChannel,
  type MadeDirection,
  madeChannel,
  madeDirection,
  tellOf,
  uniqueidOf,
} from '../made-channel.ts';

/** How it is told: by which release, who reports how often, with which SSRCs and first sequence numbers. */
export interface Manner {
  readonly shape: EventShape;
  readonly direction: Direction;
  readonly paceS: number;
  readonly ssrc: number;
  readonly firstSequence: number;
  readonly serial: number;
}

export const SHAPES = ['22', '16', 'chan_sip'] as const;
export const DIRECTIONS = ['rx', 'tx'] as const;
export const REPORTS = 14;
const OTHER_SSRC = { rx: 0xd_0000, tx: 0xe_0000 };
export const RTT_MS = 31.2;
export const JITTER_MS = 2;

export const MANNERS: fc.Arbitrary<Manner> = fc.record({
  shape: fc.constantFrom(...SHAPES),
  direction: fc.constantFrom(...DIRECTIONS),
  paceS: fc.constantFrom(0.5, 1, 2.5, 5, 10),
  ssrc: fc.integer({ min: 1, max: 0xffff_ffff }),
  firstSequence: fc.integer({ min: 1, max: 65_535 }),
  serial: fc.integer({ min: 1, max: 99_999 }),
});

export const GOOD_MES = mesByPage({ rttMs: RTT_MS, jitterMs: JITTER_MS, stdevMs: 0, lossPercent: 0 });

export interface Played {
  readonly channel: ChannelRecord;
  /** Of the direction in question, and of the other one. */
  readonly stream: StreamRecord;
  readonly other: StreamRecord;
  readonly roundTripsRefused: number;
  /** Every score that was written to the channel while it was up. */
  readonly written: readonly number[];
}

/** Plays a channel of which `of` tells one direction; the other one is good. */
export function play(
  { shape, direction, paceS, ssrc, firstSequence, serial }: Manner,
  of: Partial<MadeDirection>,
  whole: Partial<MadeChannel> = {},
): Played {
  const made = madeChannel({
    shape,
    serial,
    reports: REPORTS,
    localPaceS: paceS,
    remotePaceS: paceS,
    rx: madeDirection({ ssrc: OTHER_SSRC.rx }),
    tx: madeDirection({ ssrc: OTHER_SSRC.tx }),
    ...whole,
    [direction]: madeDirection({ ssrc, firstSequence, ...of }),
  });
  const script = playPieces(tellOf(made));
  const channel = script.channel(uniqueidOf(made));
  const stream = channel.streams.find((one) => one.direction === direction);
  const other = channel.streams.find((one) => one.direction !== direction);
  if (stream === undefined || other === undefined) throw new Error('a direction is missing');
  const written = script.writes
    .flatMap(({ variables }) => Object.entries(variables))
    .filter(([name, value]) => name !== 'MES_VERDICT' && value !== '')
    .map(([, value]) => Number(value));
  return { channel, stream, other, roundTripsRefused: script.board.counters.roundTripsRefused, written };
}

export function expectGood({ channel, stream, other, written }: Played): void {
  // Nor did it look worse for a while.
  expect(written.length).toBeGreaterThanOrEqual(4);
  expect(Math.min(...written)).toBeGreaterThan(GOOD_MES - 0.05);
  expect(channel).toMatchObject({ mesRx: expect.closeTo(GOOD_MES, 2), mesTx: expect.closeTo(GOOD_MES, 2) });
  expect(channel.verdict).toBe('good');
  for (const { packetsLost, lossPercent, verdict } of [stream, other]) {
    expect({ packetsLost, lossPercent, verdict }).toEqual({ packetsLost: 0, lossPercent: 0, verdict: 'good' });
  }
}

/** What was sent until the last report, up to how well it is known when the first packet was sent. */
export function expectSent({ packetsExpected }: StreamRecord, packets: number): void {
  expect(packetsExpected).toBeGreaterThanOrEqual(packets);
  expect(packetsExpected).toBeLessThanOrEqual(packets + 15);
}

export const from =
  (first: number, change: (plain: MadeBlock, number: number) => Partial<MadeBlock>) =>
  (plain: MadeBlock, number: number): MadeBlock =>
    number < first ? plain : { ...plain, ...change(plain, number) };
