import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CallRecord, ChannelRecord } from '../../../src/model/record.ts';
import { mesProfile } from '../../../src/score/profiles.ts';
import { local, remote, reportBlock, Script, sender } from './script.ts';

const PACKETS_PER_S = 50;
const OURS = 0x1;
const THEIRS = 0x2;

interface Way {
  /** Whether each packet was lost. */
  readonly lost: readonly boolean[];
  readonly everyS: number;
  readonly jitterMs?: number;
}

interface Leg {
  readonly uniqueid: string;
  readonly rx: Way;
  readonly tx: Way;
  readonly codec?: string;
  readonly rttMs?: number;
}

/** So many packets, of which exactly `percent` are lost, at random places (by a fixed generator). */
function lossy(percent: number, packets = 3000, seed = 7): boolean[] {
  const places = Array.from({ length: packets }, (_, index) => index);
  let state = seed;
  for (let index = packets - 1; index > 0; index--) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    const other = state % (index + 1);
    [places[index], places[other]] = [places[other] ?? 0, places[index] ?? 0];
  }
  const lost = new Set(places.slice(0, Math.round((packets * percent) / 100)));
  return Array.from({ length: packets }, (_, index) => lost.has(index));
}

/** Plays a call of these legs, each way reported on at its own pace, and hangs up. */
function play(legs: readonly Leg[], profile = mesProfile('documented')): Script {
  const script = new Script(profile);
  const of = { linkedid: legs[0]?.uniqueid ?? '' };
  for (const { uniqueid, codec = 'ulaw' } of legs) script.up(uniqueid, of).codecs(uniqueid, codec);
  const startMs = script.atMs;
  const seconds = (legs[0]?.rx.lost.length ?? 0) / PACKETS_PER_S;
  const tickS = 0.5;
  const blockOf = ({ lost, everyS, jitterMs = 0 }: Way, sent: number, sourceSsrc: number) => {
    const countLost = (from: number): number => lost.slice(from, sent).filter(Boolean).length;
    const before = Math.max(0, sent - everyS * PACKETS_PER_S);
    const fractionLostQ8 = Math.floor((countLost(before) * 256) / (sent - before));
    return reportBlock(sent, countLost(0), { sourceSsrc, fractionLostQ8, jitterTicks: jitterMs * 8 });
  };
  for (let tick = 1; tick * tickS <= seconds; tick++) {
    script.atMs = startMs + tick * tickS * 1000;
    const nowS = tick * tickS;
    const sent = Math.round(nowS * PACKETS_PER_S);
    for (const { uniqueid, rx, tx, rttMs = 50 } of legs) {
      const counts = sender(nowS, sent);
      if (nowS % rx.everyS === 0) script.rtcp(uniqueid, local(blockOf(rx, sent, THEIRS), { sender: counts }), of);
      if (nowS % tx.everyS === 0) {
        script.rtcp(uniqueid, remote(blockOf(tx, sent, OURS), { rttMs, sender: counts }), of);
      }
    }
    script.board.tick(script.atMs);
  }
  for (const { uniqueid } of legs) script.hangup(uniqueid, of);
  return script;
}

function callOf(script: Script): CallRecord {
  const last = script.stored().findLast((change) => change.kind === 'call');
  if (last?.kind !== 'call') throw new Error('no call was stored');
  return last.call;
}

describe('steady random loss, G.711, round trip 50 ms (src/score/README.md)', () => {
  // By hand: r = 93.2 − 60/40 − 625 · ratio and its opinion; R(CQ) = 93.25 − 95 · ppl / (ppl + 10) − 0.15 and its opinion.
  const ROWS = [
    [0, 4.38, 4.41, 'good'],
    [1, 4.21, 4.18, 'good'],
    [2, 3.99, 3.92, 'fair'],
    [4, 3.44, 3.4, 'poor'],
    [6, 2.8, 2.97, 'bad'],
  ] as const;
  const PACES = [
    [0.5, 0.5],
    [1, 1],
    [2, 2],
    [5, 5],
    [10, 10],
    [5, 1],
    [0.5, 10],
  ] as const;
  const cases = ROWS.flatMap(([percent, mes, mosCq, word]) =>
    PACES.map(([rxS, txS]) => [percent, rxS, txS, mes, mosCq, word] as const),
  );
  test.each(cases)(
    '%d percent with reports every %d s and %d s: MES %d, MOS-CQ %d, %s',
    (percent, rxS, txS, mes, mosCq, word) => {
      const lost = lossy(percent);
      const script = play([{ uniqueid: '1', rx: { lost, everyS: rxS }, tx: { lost, everyS: txS } }]);
      const channel = script.channel('1');
      for (const stream of channel.streams) {
        expect(Math.abs(Number(stream.mes) - mes)).toBeLessThan(0.05);
        expect(Math.abs(Number(stream.mosCq) - mosCq)).toBeLessThan(0.05);
        expect(stream.verdict).toBe(word);
      }
      expect(channel.verdict).toBe(word);
      expect(callOf(script).verdict).toBe(word);
      const written = script.writes.findLast(({ variables }) => variables['MES_VERDICT'] !== undefined);
      expect(written?.variables['MES_VERDICT']).toBe(word);
    },
  );

  test('the literal profile depends on the pace, which is why it is not the default', () => {
    const mesAt = (everyS: number): number => {
      const way = { lost: lossy(4), everyS };
      return Number(play([{ uniqueid: '1', rx: way, tx: way }], mesProfile('documented-per-report')).channel('1').mes);
    };
    // By hand: 10, 2 and 1 packets a report.
    expect(Math.abs(mesAt(5) - 3.44)).toBeLessThan(0.05);
    expect(Math.abs(mesAt(1) - 4.25)).toBeLessThan(0.05);
    expect(Math.abs(mesAt(0.5) - 4.32)).toBeLessThan(0.05);
  });
});

describe('the word is that of the worst direction', () => {
  const fine = { lost: lossy(0), everyS: 5 };
  const bad = { lost: lossy(8), everyS: 5 };
  const legs: readonly Leg[] = [
    { uniqueid: '1', rx: fine, tx: fine },
    { uniqueid: '2', rx: fine, tx: bad },
  ];

  test('of a channel, and of a call, while the numbers stay means', () => {
    const script = play(legs);
    const call = callOf(script);
    // Three of 4.38, and 8 % by hand: r = 93.2 − 1.5 − 50 = 41.7, opinion 2.1481.
    expect(Number(call.mes)).toBeCloseTo((3 * 4.3784 + 2.1481) / 4, 1);
    expect(call.verdict).toBe('bad');
    expect(script.channel('1').verdict).toBe('good');
    expect(script.channel('2')).toMatchObject({ verdict: 'bad' });
    expect(Number(script.channel('2').mes)).toBeCloseTo((4.3784 + 2.1481) / 2, 1);
  });

  test("the caller's CDR row has the worst of the call, its variables the channel's own", () => {
    const script = play(legs);
    const variables = Object.assign(
      {},
      ...script.writes.filter(({ uniqueid }) => uniqueid === '1').map((write) => write.variables),
    ) as Record<string, string>;
    expect(variables).toMatchObject({ MES_VERDICT: 'good', MES_MIN: '4.38' });
  });
});

describe('jitter that no jitter buffer takes', () => {
  const withJitter = (jitterMs: number): ChannelRecord => {
    const way = { lost: lossy(0), everyS: 5, jitterMs };
    return play([{ uniqueid: '1', rx: way, tx: way }]).channel('1');
  };

  test('is a fault even where it is so steady that the formula does not weigh it', () => {
    const channel = withJitter(100);
    for (const stream of channel.streams) {
      expect(stream.mes).toBeCloseTo(4.3784, 3);
      expect(stream.verdict).toBe('fair');
      expect(stream.why).toMatch(/jitter .* was 100 ms \(up to 100 ms\), more than a jitter buffer of 60 ms takes/);
      expect(stream.why).toMatch(/loss and delay were fine/);
    }
    expect(channel.verdict).toBe('fair');
  });

  test('up to 60 ms is none', () => {
    const channel = withJitter(60);
    for (const stream of channel.streams) {
      expect(stream.verdict).toBe('good');
      expect(stream.why).toMatch(/was fine: no loss, round trip 50 ms, jitter 60\.0 ms\.$/);
    }
  });
});

describe('a codec that is poor by itself', () => {
  test('is named where it keeps the word down, and no network is blamed', () => {
    const way = { lost: lossy(0), everyS: 5 };
    const script = play([
      { uniqueid: '1', rx: way, tx: way, codec: 'gsm' },
      { uniqueid: '2', rx: way, tx: way, codec: 'gsm' },
    ]);
    const [rx] = script.channel('1').streams;
    // R(CQ) 93.25 − 20 − 0.15 is 73.1, opinion 3.74.
    expect(rx).toMatchObject({ verdict: 'fair' });
    expect(rx?.mosCq).toBeCloseTo(3.7388, 3);
    expect(rx?.why).toBe('The codec gsm takes 20 of R even without loss; loss and delay and jitter were fine.');
    expect(callOf(script)).toMatchObject({ verdict: 'fair', faultPlace: 'none' });
    expect(callOf(script).faultWhy).toMatch(/the codec gsm itself/);
  });
});

/** The opinion of R, by G.107 Annex B, written out once more. */
function opinion(r: number): number {
  if (r < 0) return 1;
  return r > 100 ? 4.5 : Math.max(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6);
}

/** What a sentence calls fine. */
function calledFine(sentence: string): string[] {
  if (sentence.includes(' was fine: ')) return ['loss', 'delay', 'jitter'];
  return (/; ([a-z ]+) (?:was|were) fine/.exec(sentence)?.[1] ?? '').split(' and ').filter((name) => name !== '');
}

describe('sentences', () => {
  const conditions = fc.record({
    lossPercent: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 12, noNaN: true })),
    jitterMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 150 })),
    rttMs: fc.oneof(fc.constant(20), fc.integer({ min: 1, max: 700 })),
    codec: fc.constantFrom('ulaw', 'g722', 'g729', 'opus', 'gsm', 'mystery'),
    everyS: fc.constantFrom(0.5, 1, 5, 10),
    profile: fc.constantFrom('documented', 'asterisk-2026.09', 'informed'),
    seed: fc.integer({ min: 1, max: 1000 }),
  });

  test('never say fine of what costs half a point or exceeds its limit, and name a cause of every word below good', () => {
    fc.assert(
      fc.property(conditions, ({ lossPercent, jitterMs, rttMs, codec, everyS, profile, seed }) => {
        const way = { lost: lossy(lossPercent, 1000, seed), everyS, jitterMs };
        const script = play([{ uniqueid: '1', rx: way, tx: way, codec, rttMs }], mesProfile(profile));
        for (const { why, verdict, lossPercent: measured, mes } of script.channel('1').streams) {
          const sentence = why ?? '';
          const lost = measured ?? 0;
          // What each costs by hand: R with it and without it.
          const delayMs = profile === 'asterisk-2026.09' ? rttMs / 2 : rttMs;
          const latencyR = delayMs + 10 < 160 ? (delayMs + 10) / 40 : (delayMs - 110) / 10;
          const lossR = (lost / 100) * (profile === 'asterisk-2026.09' ? everyS * 50 * 2 : 625);
          const r = 93.2 - latencyR;
          const lossCost = profile === 'informed' ? 0 : opinion(r) - opinion(r - lossR);
          const mayBeFine: Readonly<Record<string, boolean>> = {
            loss: lossCost < 0.5 && lost < 2,
            delay: opinion(93.2) - opinion(r) < 0.5 && rttMs < 200,
            jitter: jitterMs <= 60,
          };
          expect(calledFine(sentence).filter((name) => mayBeFine[name] === false)).toEqual([]);
          const isFine = sentence.includes(' was fine: ');
          expect(isFine && verdict !== 'good').toBe(false);
          const namesCause = /lost|round trip to|jitter .*was \d|codec \S+ takes|nothing that is measured/.test(
            sentence,
          );
          expect(namesCause || verdict === 'good').toBe(true);
          expect(sentence.startsWith('Good') && verdict !== 'good').toBe(false);
          expect(Number(mes)).toBeGreaterThanOrEqual(1);
        }
      }),
      { numRuns: 150 },
    );
  });
});
