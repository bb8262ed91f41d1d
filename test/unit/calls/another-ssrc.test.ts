import { describe, expect, test } from 'vitest';
import type { ChannelRecord, SegmentRecord } from '../../../src/model/record.ts';
import { local, remote, reportBlock, Script, sender, snapshot } from './script.ts';

const OLD = 0x0a;
const NEW = 0x0b;
const STRANGE = 0xdead;

/** Where the far end stands with one of our streams. */
interface Standing {
  readonly ssrc: number;
  readonly highest: number;
  readonly lost?: number;
}

/** A call with a report of each end every 5 s; ours comes half a second before theirs, or after it. */
class Transfer {
  readonly script = new Script().up('1').codecs('1', 'ulaw');
  readonly #oursFirst: boolean;
  #n = 0;

  constructor(oursFirst = true) {
    this.#oursFirst = oursFirst;
  }

  /** `own`: the SSRC that our own report names; null: we do not report. */
  go(own: number | null, standing: Standing, rttMs = 40, hasMoreBlocks = false): this {
    const n = ++this.#n;
    const ours = (): void => {
      if (own === null) return;
      const block = reportBlock(250 * n, 0, { sourceSsrc: 0xfa });
      this.script.rtcp('1', local(block, { sender: sender(5 * n, 250 * n), senderSsrc: own }));
    };
    this.script.wait(4.5);
    if (this.#oursFirst) ours();
    this.script.wait(0.5);
    const block = reportBlock(standing.highest, standing.lost ?? 0, { sourceSsrc: standing.ssrc });
    this.script.rtcp('1', remote(block, { rttMs, hasMoreBlocks, sender: sender(5 * n, 250 * n) }));
    if (!this.#oursFirst) ours();
    return this;
  }

  get channel(): ChannelRecord {
    return this.script.channel('1');
  }

  get tx(): ChannelRecord['streams'][number] | undefined {
    return this.channel.streams[1];
  }

  segments(): SegmentRecord[] {
    const all = this.script.stored().flatMap((change) => (change.kind === 'segment' ? [change.segment] : []));
    const last = new Map(all.filter(({ direction }) => direction === 'tx').map((one) => [one.segmentNumber, one]));
    return [...last.values()].toSorted((a, b) => a.segmentNumber - b.segmentNumber);
  }
}

/** Four good reports; then Asterisk sends with another SSRC. */
function established(oursFirst = true, lostEach = 0): Transfer {
  const transfer = new Transfer(oursFirst);
  for (const n of [1, 2, 3, 4]) transfer.go(OLD, { ssrc: OLD, highest: 250 * n, lost: lostEach * n });
  return transfer;
}

describe('a far end that goes on reporting on the SSRC of before a transfer', () => {
  test.each([
    ['our report comes first', true, 0],
    ['theirs comes first', false, 0],
    ['and 8 % were lost before', true, 20],
  ])('is not known from then on: %s', (_what, oursFirst, lostEach) => {
    const transfer = established(oursFirst, lostEach);
    const rttBefore = transfer.tx?.rttMs.count;
    for (let n = 5; n <= 10; n++)
      transfer.go(NEW, { ssrc: OLD, highest: 1000, lost: 4 * lostEach }, n === 5 ? 40 : 900);
    const { channel, tx, script } = transfer;
    expect(channel.mesTx).toBeNull();
    expect(channel.mes).toBe(channel.mesRx);
    expect(channel.mesRx).toBeGreaterThan(4.3);
    expect(tx).toMatchObject({ mes: null, verdict: null, deadReports: 0, reports: 10 });
    // Where theirs comes first, the first one may still be about what we sent until then.
    expect(tx?.unusedReports).toBe(oursFirst ? 6 : 5);
    expect(tx?.why).toMatch(
      /^From 22:13:\d\d UTC on PJSIP\/phone1 reported about a stream that this server does not send any/,
    );
    // Its round trip is of that stream, too.
    expect(tx?.rttMs).toMatchObject({ max: 40, count: Number(rttBefore) + (oursFirst ? 0 : 1) });
    expect(script.board.counters.roundTripsRefused).toBe(oursFirst ? 6 : 5);
    // What was known of the stream before stays with its segment.
    const [first, second] = transfer.segments();
    expect(first).toMatchObject({ packetsLost: 4 * lostEach, packetsExpected: expect.closeTo(1000, -2) });
    expect(first?.mes).not.toBeNull();
    expect(second).toMatchObject({ openedBy: 'ssrc', mes: null, deadReports: 0 });
    // The channel's variable does not say what it was before.
    expect(script.writes.filter(({ variables }) => 'MES_TX' in variables).at(-1)?.variables['MES_TX']).toBe('');
    expect(script.writes.every(({ variables }) => variables['MES_TX']?.startsWith('1.0') !== true)).toBe(true);
    script.hangup('1');
    expect(transfer.tx).toMatchObject({ mes: null, verdict: 'no-rtcp' });
  });

  test('is known again when it reports on the new one, and what it lost meanwhile counts', () => {
    const transfer = established();
    for (let n = 5; n <= 7; n++) transfer.go(NEW, { ssrc: OLD, highest: 1000 });
    expect(transfer.channel.mesTx).toBeNull();
    transfer.go(NEW, { ssrc: NEW, highest: 50_900, lost: 20 });
    transfer.go(NEW, { ssrc: NEW, highest: 51_150, lost: 25 });
    expect(transfer.channel.mesTx).toBeGreaterThan(3.5);
    expect(transfer.tx).toMatchObject({ packetsLost: 25, unusedReports: 3, unknownSinceMs: null });
    expect(transfer.tx?.why).not.toMatch(/not known how|does not send/);
  });

  test('is on hold meanwhile: nothing need be sent, and so nothing is unknown', () => {
    const transfer = established();
    const { board, atMs } = transfer.script;
    board.handle({ type: 'hold', atMs, channel: snapshot('1') });
    for (let n = 5; n <= 6; n++) transfer.go(NEW, { ssrc: OLD, highest: 1000 });
    expect(transfer.channel.mesTx).toBeGreaterThan(4.3);
    board.handle({ type: 'unhold', atMs: transfer.script.atMs, channel: snapshot('1') });
    for (let n = 7; n <= 8; n++) transfer.go(NEW, { ssrc: OLD, highest: 1000 });
    expect(transfer.channel.mesTx).toBeNull();
  });

  test('before our own first report: what it says may be of an early SSRC', () => {
    const transfer = new Transfer();
    transfer.go(null, { ssrc: OLD, highest: 250 });
    expect(transfer.channel.mesTx).toBeGreaterThan(4.3);
    for (let n = 2; n <= 5; n++) transfer.go(NEW, { ssrc: OLD, highest: 250 });
    expect(transfer.channel.mesTx).toBeNull();
    expect(transfer.tx).toMatchObject({ deadReports: 0, unusedReports: 4 });
  });
});

/** baresip's first reports, each a moment before ours: AMI shows one of two blocks. */
describe('a far end that has heard two streams before we name ours', () => {
  test('and shows the one of a single packet is not known until it shows ours, and then all of it counts', () => {
    const transfer = new Transfer(false).go(NEW, { ssrc: OLD, highest: 6583 }, 40, true);
    expect(transfer.channel.mesTx).toBeNull();
    expect(transfer.tx).toMatchObject({ unusedReports: 1, packetsExpected: null, rttMs: { count: 0 } });
    expect(transfer.tx?.why).toMatch(/about a stream that this server does not send any more/);
    // 8 % of what we sent in 10 s; its numbers began at 970.
    transfer.go(NEW, { ssrc: NEW, highest: 1470, lost: 40 }, 40, true);
    expect(transfer.tx).toMatchObject({
      packetsLost: 40,
      packetsExpected: 500,
      unusedReports: 1,
      unknownSinceMs: null,
    });
    expect(transfer.channel.mesTx).toBeLessThan(2.5);
    expect(transfer.channel.mesTx).toBeGreaterThan(1.8);
  });

  test('and goes on about the one of before is not known at all', () => {
    const transfer = new Transfer(false);
    for (let n = 1; n <= 4; n++) transfer.go(NEW, { ssrc: OLD, highest: 6583 }, 40, true);
    expect(transfer.tx).toMatchObject({ mes: null, unusedReports: 4, deadReports: 0, packetsExpected: null });
  });

  test('and shows ours loses no packet by it', () => {
    const transfer = new Transfer(false);
    for (let n = 1; n <= 4; n++) transfer.go(NEW, { ssrc: NEW, highest: 970 + 250 * n, lost: 20 * n }, 40, true);
    expect(transfer.tx).toMatchObject({
      packetsLost: 80,
      packetsExpected: 1000,
      unusedReports: 1,
      unknownSinceMs: null,
    });
    expect(transfer.channel.mesTx).toBeGreaterThan(1.8);
    expect(transfer.channel.mesTx).toBeLessThan(2.5);
  });

  test('is believed about the one that goes on, where we never name ours', () => {
    const transfer = new Transfer();
    for (let n = 1; n <= 4; n++) transfer.go(null, { ssrc: STRANGE, highest: 970 + 250 * n, lost: n }, 40, true);
    expect(transfer.tx).toMatchObject({
      packetsLost: 4,
      packetsExpected: 1000,
      unusedReports: 1,
      unknownSinceMs: null,
    });
    expect(transfer.channel.mesTx).toBeGreaterThan(4);
  });
});

describe('a far end whose RTCP is captured', () => {
  test('is known from its first report on, by whichever block is about the stream that was captured', () => {
    const transfer = new Transfer(false);
    const { board, atMs } = transfer.script;
    const block = reportBlock(1220, 19, { sourceSsrc: NEW, fractionLostQ8: 19 });
    const captured = { direction: 'tx', open: null, closed: null, report: { block, atMs: atMs + 4990 } } as const;
    board.handle({ type: 'captured', atMs, uniqueid: '1', ...captured });
    transfer.go(NEW, { ssrc: OLD, highest: 6583 }, 40, true);
    expect(transfer.tx).toMatchObject({ packetsLost: 19, unusedReports: 0 });
    // 19 are 19/256 of what was expected.
    expect(transfer.tx?.packetsExpected).toBe(256);
    expect(transfer.channel.mesTx).toBeLessThan(2.7);
  });

  test('is known by the second block of its packets, and still lends no round trip', () => {
    const transfer = established();
    for (let n = 5; n <= 9; n++) {
      const { board, atMs } = transfer.script;
      // 5 % of the new stream are lost; the packet of report n is captured just before AMI shows its first block.
      const block = reportBlock(40_000 + 200 * (n - 4), 10 * (n - 4), { sourceSsrc: NEW, fractionLostQ8: 13 });
      const captured = { direction: 'tx', open: null, closed: null, report: { block, atMs: atMs + 4990 } } as const;
      board.handle({ type: 'captured', atMs, uniqueid: '1', ...captured });
      transfer.go(NEW, { ssrc: OLD, highest: 1000 }, 900);
    }
    expect(transfer.tx).toMatchObject({
      unusedReports: 0,
      packetsLost: 50,
      deadReports: 0,
      rttMs: { max: 40, count: 4 },
    });
    expect(transfer.tx?.lossPercent).toBeGreaterThan(2);
    expect(transfer.tx?.lossPercent).toBeLessThan(3);
    expect(transfer.channel.mesTx).toBeLessThan(4.2);
    expect(transfer.channel.mesTx).toBeGreaterThan(3.5);
    // Without a new one there is nothing new to say.
    for (let n = 10; n <= 12; n++) transfer.go(NEW, { ssrc: OLD, highest: 1000 });
    expect(transfer.channel.mesTx).toBeNull();
  });
});

describe('what was captured before', () => {
  test('is not what the far end says now: it stood still in no report', () => {
    const transfer = established();
    const { board, atMs } = transfer.script;
    // The packet of the fourth report; of the fifth, which AMI shows with a block about the music, none is captured.
    const block = reportBlock(1000, 0, { sourceSsrc: OLD });
    const captured = { direction: 'tx', open: null, closed: null, report: { block, atMs: atMs - 3 } } as const;
    board.handle({ type: 'captured', atMs, uniqueid: '1', ...captured });
    transfer.go(OLD, { ssrc: STRANGE, highest: 40_020 });
    expect(transfer.tx).toMatchObject({ deadReports: 0, packetsLost: 0, unusedReports: 1 });
    transfer.go(OLD, { ssrc: OLD, highest: 1500 });
    expect(transfer.tx).toMatchObject({ deadReports: 0, packetsLost: 0, unusedReports: 1 });
    expect(transfer.channel.verdict).toBe('good');
  });
});

describe('a far end that reports on the stream that we send', () => {
  test('which is that of before again, as after music on hold: what was not sent to it meanwhile is not lost', () => {
    const transfer = established(true, 5);
    for (const n of [1, 2]) transfer.go(NEW, { ssrc: NEW, highest: 40_000 + 250 * n, lost: 2 * n });
    // A native bridge left 500 numbers out, which the far end takes for lost.
    for (const n of [1, 2, 3]) transfer.go(OLD, { ssrc: OLD, highest: 1500 + 250 * n, lost: 20 + 500 + 5 * n });
    expect(transfer.tx).toMatchObject({ packetsLost: 20 + 4 + 10, unusedReports: 0, sequenceRestarts: 0 });
    expect(transfer.channel.mesTx).toBeGreaterThan(3.9);
    expect(transfer.channel.mesTx).toBeLessThan(4.3);
  });

  test('which is that of before again, and which it names before we do: nor is it lost then', () => {
    const transfer = established(true, 5);
    transfer.go(NEW, { ssrc: NEW, highest: 40_250, lost: 2 });
    // Ours names the music still; a native bridge has left 500 numbers out.
    transfer.go(NEW, { ssrc: OLD, highest: 1750, lost: 20 + 500 + 5 });
    for (const n of [1, 2]) transfer.go(OLD, { ssrc: OLD, highest: 1750 + 250 * n, lost: 20 + 500 + 5 + 5 * n });
    expect(transfer.tx).toMatchObject({ packetsLost: 20 + 2 + 10, unusedReports: 1, sequenceRestarts: 0 });
    expect(transfer.tx?.packetsExpected).toBeLessThanOrEqual(1000 + 250 + 500 + 25);
    expect(transfer.channel.mesTx).toBeGreaterThan(3.9);
    expect(transfer.channel.mesTx).toBeLessThan(4.3);
  });

  test('is good, also where it has the old one in a second block', () => {
    const transfer = established();
    for (let n = 5; n <= 8; n++) transfer.go(NEW, { ssrc: NEW, highest: 40_000 + 250 * (n - 4) });
    expect(transfer.channel).toMatchObject({ verdict: 'good', mesTx: expect.closeTo(4.38, 1) });
    expect(transfer.tx).toMatchObject({ unusedReports: 0, packetsLost: 0, deadReports: 0 });
  });

  test('before we name it ourselves loses one report, and no packet', () => {
    const transfer = established(false);
    // Our own report comes after theirs: at first it names another one.
    for (let n = 5; n <= 8; n++) transfer.go(NEW, { ssrc: NEW, highest: 40_000 + 250 * (n - 4), lost: 2 * (n - 4) });
    expect(transfer.channel.mesTx).toBeGreaterThan(4);
    expect(transfer.tx).toMatchObject({ unusedReports: 1, packetsLost: 8, deadReports: 0, unknownSinceMs: null });
    expect(transfer.tx?.packetsExpected).toBe(1000 + 750);
    expect(transfer.script.writes.some(({ variables }) => variables['MES_TX'] === '')).toBe(false);
  });

  test('beside another one that shares its port is known once both have shown themselves', () => {
    const transfer = new Transfer();
    const standing = (n: number): Standing =>
      n % 2 === 0 ? { ssrc: NEW, highest: 9000 + 125 * n } : { ssrc: OLD, highest: 125 * n };
    for (let n = 1; n <= 12; n++) transfer.go(n % 2 === 0 ? OLD : NEW, standing(n));
    expect(transfer.channel.mesTx).toBeGreaterThan(4.3);
    expect(transfer.tx).toMatchObject({ unknownSinceMs: null, deadReports: 0 });
    expect(transfer.tx?.unusedReports).toBeLessThanOrEqual(5);
  });

  test('while Asterisk reports nothing itself, as in a native bridge, is believed', () => {
    const transfer = new Transfer();
    for (let n = 1; n <= 4; n++) transfer.go(null, { ssrc: STRANGE, highest: 250 * n, lost: n });
    expect(transfer.tx).toMatchObject({ unusedReports: 0, packetsLost: 4 });
    expect(transfer.channel.mesTx).toBeGreaterThan(4);
  });

  test('and says goodbye about nobody, and then goes on, loses no packet by it', () => {
    for (const goodbye of [
      { ssrc: 0, highest: 0, lost: 1 },
      { ssrc: 0, highest: 4711, lost: 3 },
      { ssrc: STRANGE, highest: 0, lost: 1 },
      { ssrc: STRANGE, highest: 9, lost: 1 },
      { ssrc: OLD, highest: 0, lost: 1 },
    ]) {
      const transfer = established(true, 1).go(OLD, goodbye);
      expect(transfer.tx).toMatchObject({ packetsLost: 4, unusedReports: 1, reports: 5 });
      for (const n of [6, 7]) transfer.go(OLD, { ssrc: OLD, highest: 250 * n, lost: n });
      expect(transfer.tx).toMatchObject({ packetsLost: 7, unusedReports: 1, deadReports: 0, sequenceRestarts: 0 });
      expect(transfer.tx?.packetsExpected).toBeGreaterThanOrEqual(1750);
      expect(transfer.tx?.packetsExpected).toBeLessThanOrEqual(1775);
      expect(transfer.channel.verdict).toBe('good');
    }
  });
});
