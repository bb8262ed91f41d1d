import { describe, expect, test } from 'vitest';
import { replayChannel } from '../../../src/calls/again/replay.ts';
import type { ChannelRecord } from '../../../src/model/record.ts';
import { local, remote, reportBlock, Script } from './script.ts';

const TICKS_PER_MS = 8;
const AUDIO_OCTETS = 160;
/** RFC 4733: four octets in each packet of a digit; baresip and Asterisk send twelve of them beside the audio. */
const DIGIT_OCTETS = 4;
const PACKETS_OF_DIGIT = 12;

interface Interval {
  /** Digits that the phone sends in it. */
  readonly digits?: number;
  /** Jitter of what it sends at our report, ms. */
  readonly jitterMs?: number;
}

/**
 * A phone whose audio is passed on natively: no event tells of its digits. It counts every 5 s, and we report in between:
 * `reportAfterS` its count.
 */
class NativeCall {
  readonly script = new Script().up('1').codecs('1', 'ulaw');
  readonly #reportAfterS: number;
  #n = 0;
  #digitPackets = 0;

  constructor(reportAfterS: number) {
    this.#reportAfterS = reportAfterS;
  }

  play(...intervals: readonly Interval[]): this {
    for (const { digits = 0, jitterMs = 0.5 } of intervals) {
      const n = ++this.#n;
      this.#digitPackets += digits * PACKETS_OF_DIGIT;
      const highest = 1000 + 250 * n + this.#digitPackets;
      const block = reportBlock(highest, 0, { jitterTicks: jitterMs * TICKS_PER_MS });
      const sentPackets = 250 * n + this.#digitPackets;
      const sentOctets = 250 * n * AUDIO_OCTETS + this.#digitPackets * DIGIT_OCTETS;
      const sender = { ntpS: 5 * n, rtpTicks: 40_000 * n, sentPackets, sentOctets };
      const count = remote(reportBlock(2000 + 250 * n, 0, { sourceSsrc: 0xdef, jitterTicks: 4 }), { sender });
      this.script.wait(5 - this.#reportAfterS).rtcp('1', local(block));
      this.script.wait(this.#reportAfterS).rtcp('1', count);
    }
    return this;
  }

  get channel(): ChannelRecord {
    return this.script.channel('1');
  }
}

const QUIET = {};
const PRESSED = { digits: 3, jitterMs: 100 };

describe('digits that a native bridge passes on unseen', () => {
  test.each([0, 0.5, 2.5, 4.9])(
    "are no jitter once the sender's count, %d s after our report, tells of them",
    (afterS) => {
      const { channel } = new NativeCall(afterS).play(QUIET, QUIET, PRESSED, QUIET);
      // By hand: no loss and no round trip; latency 10 ms costs 0.25.
      expect(channel).toMatchObject({ verdict: 'good', mesRx: expect.closeTo(4.4, 2), mesMin: expect.closeTo(4.4, 2) });
      expect(channel.streams[0]).toMatchObject({ jitterMs: { max: 0.5, count: 3 }, jitterResets: 1, packetsLost: 0 });
    },
  );

  test('never made the channel bad for a while', () => {
    const { script } = new NativeCall(2.5).play(QUIET, QUIET, PRESSED, QUIET);
    const words = script.writes.flatMap(({ variables }) => variables['MES_VERDICT'] ?? []);
    expect(new Set(words)).toEqual(new Set(['good']));
  });

  test('may be pressed before the first report', () => {
    const { channel } = new NativeCall(0.5).play({ digits: 1, jitterMs: 35 }, QUIET, QUIET);
    expect(channel.streams[0]).toMatchObject({ jitterMs: { max: 0.5, count: 2 }, jitterResets: 1 });
  });

  test("a report just after the sender's count still has what A.8 keeps of them", () => {
    // The count comes first, and tells of the digits; our report 0.3 s later has a part of their jitter.
    const { channel } = new NativeCall(4.7).play(QUIET, { digits: 2 }, { jitterMs: 40 }, QUIET);
    expect(channel.streams[0]).toMatchObject({ jitterMs: { max: 0.5 }, jitterResets: 1 });
  });

  test('are not what a network does: the same jitter without them counts as soon as the sender has counted', () => {
    const call = new NativeCall(2.5).play(QUIET, QUIET, { jitterMs: 100 });
    const { channel } = call;
    // By hand: mean 33.67 and deviation 46.9 are 1063 ms of latency; R 93.2 - 94.3 is below 0.
    expect(channel.mesRx).toBe(1);
    expect(channel.mesMin).toBeLessThan(4);
    expect(channel.streams[0]).toMatchObject({ jitterMs: { max: 100, count: 3 }, jitterResets: 0 });
  });

  test('jitter that stays counts from the first report on, digits or not', () => {
    const { channel } = new NativeCall(2.5).play({ jitterMs: 60 }, { jitterMs: 60, digits: 1 }, { jitterMs: 60 });
    expect(channel.streams[0]?.jitterMs).toMatchObject({ mean: 60, count: 3 });
  });

  test('loss in the same interval counts: a native bridge leaves no gaps', () => {
    const call = new NativeCall(2.5).play(QUIET, PRESSED);
    const { script } = call;
    script.wait(2.5).rtcp('1', local(reportBlock(1786, 25, { jitterTicks: 4, fractionLostQ8: 25 })));
    expect(call.channel.streams[0]?.packetsLost).toBe(25);
  });

  test('packets of comfort noise are no digits: their jitter counts', () => {
    const script = new Script().up('1').codecs('1', 'ulaw');
    for (const [index, jitterMs] of [0.5, 0.5, 100, 0.5].entries()) {
      const n = index + 1;
      // 245 packets of audio and 5 of one octet.
      const sender = { ntpS: 5 * n, rtpTicks: 40_000 * n, sentPackets: 250 * n, sentOctets: n * (245 * 160 + 5) };
      script.wait(2.5).rtcp('1', local(reportBlock(1000 + 250 * n, 0, { jitterTicks: jitterMs * TICKS_PER_MS })));
      script.wait(2.5).rtcp('1', remote(reportBlock(2000 + 250 * n, 0, { sourceSsrc: 0xdef }), { sender }));
    }
    expect(script.channel('1').streams[0]?.jitterMs.max).toBe(100);
  });

  test('scored again from what is stored it is the same', () => {
    for (const intervals of [
      [QUIET, QUIET, PRESSED, QUIET],
      [QUIET, QUIET, { jitterMs: 100 }, QUIET],
      [{ digits: 1, jitterMs: 35 }, QUIET, QUIET],
    ]) {
      const { script, channel } = new NativeCall(2.5).play(...intervals);
      const all = [...script.intervals('1', 'rx'), ...script.intervals('1', 'tx')];
      const { state } = replayChannel({ channel, segments: [], intervals: all }, script.rules);
      expect(state.scores.mesRx).toBe(channel.mesRx);
      expect(state.rx.total.mesMin).toBe(channel.streams[0]?.mesMin);
    }
  });
});
