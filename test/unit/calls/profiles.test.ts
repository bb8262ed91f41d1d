import { describe, expect, test } from 'vitest';
import { rescoreCall } from '../../../src/calls/again/rescoring.ts';
import type { ScoringRules } from '../../../src/calls/scoring-rules.ts';
import { Switchboard } from '../../../src/calls/switchboard.ts';
import type { PacketTally } from '../../../src/model/capture.ts';
import type {
  CallRecord,
  ChannelRecord,
  HistoryChange,
  IntervalRecord,
  SegmentRecord,
} from '../../../src/model/record.ts';
import type { ProfileName } from '../../../src/model/score.ts';
import { mesProfile } from '../../../src/score/profiles.ts';
import { DEFAULT_THRESHOLDS } from '../../../src/score/verdict.ts';
import { local, remote, reportBlock, sender, snapshot } from './script.ts';

function rulesOf(profile: ProfileName, of: Partial<ScoringRules> = {}): ScoringRules {
  return {
    profile: mesProfile(profile),
    thresholds: DEFAULT_THRESHOLDS,
    codecs: new Map(),
    advantages: [],
    version: '9.9.9',
    ...of,
  };
}

interface Told {
  readonly changes: HistoryChange[];
  readonly channel: ChannelRecord;
}

/** One leg over `codec`, a report every 5 s each way, so many packets lost in each; round trip 50 ms. */
function play(rules: ScoringRules, codec: string, lost: readonly number[], captured?: PacketTally): Told {
  const changes: HistoryChange[] = [];
  const board = new Switchboard(rules, {
    writer: null,
    askCodecs: () => undefined,
    askCounters: () => undefined,
    storeInterval: (interval) => changes.push({ kind: 'interval', interval }),
  });
  const startMs = 1_700_000_000_000;
  const channel = snapshot('1', { name: 'PJSIP/mobile7-00000001' });
  board.handle({ type: 'channel', atMs: startMs, channel });
  board.handle({ type: 'codecs', atMs: startMs, uniqueid: '1', codecs: { rx: codec, tx: codec } });
  const phone = { make: 'Yealink', model: 'SIP-W60B', firmware: '77.85.0.25' };
  const details = { ...phone, transport: null, address: null, isBehindNat: null, networkKind: 'mobile' } as const;
  board.handle({
    type: 'device',
    atMs: startMs,
    uniqueid: '1',
    device: 'Yealink SIP-W60B 77.85.0.25',
    site: 'Lyon',
    details,
  });
  let cumulative = 0;
  for (const [index, lostNow] of lost.entries()) {
    const n = index + 1;
    const atMs = startMs + n * 5000;
    cumulative += lostNow;
    const of = { fractionLostQ8: Math.floor((lostNow * 256) / 250) };
    const counts = sender(n * 5, n * 250);
    board.handle({
      type: 'rtcp',
      atMs,
      channel,
      report: local(reportBlock(n * 250, cumulative, { ...of, sourceSsrc: 2 }), { sender: counts }),
    });
    board.handle({
      type: 'rtcp',
      atMs,
      channel,
      report: remote(reportBlock(n * 250, cumulative, { ...of, sourceSsrc: 1 }), { rttMs: 50, sender: counts }),
    });
  }
  const endMs = startMs + lost.length * 5000 + 1000;
  if (captured !== undefined) {
    const media = {
      tally: captured,
      streams: 1,
      ssrc: 2,
      source: '192.0.2.1:4000',
      destination: '192.0.2.2:4000',
      payloadType: 0,
      codec: null,
      droppedByKernel: 0,
      interruptions: 0,
    };
    board.handle({ type: 'captured', atMs: endMs, uniqueid: '1', direction: 'rx', open: null, closed: media });
  }
  board.handle({ type: 'hangup', atMs: endMs, channel });
  changes.push(...board.drain());
  const last = changes.findLast((change) => change.kind === 'channel');
  if (last?.kind !== 'channel') throw new Error('no channel was stored');
  return { changes, channel: last.channel };
}

/** By hand: R of `informed`, with 1.5 for 60 ms of latency. */
function informedR(loss: number, { ie, bpl }: { ie: number; bpl: number }, burstR: number): number {
  return 93.2 - 1.5 - (ie + ((95 - ie) * loss) / (loss / burstR + bpl));
}

describe('informed, on calls', () => {
  test('takes the codec and its loss, and the word is for the MES alone', () => {
    const even = Array.from({ length: 12 }, () => 5);
    const g711 = play(rulesOf('informed'), 'ulaw', even).channel.streams[1];
    expect(g711?.rValue).toBeCloseTo(informedR(2, { ie: 0, bpl: 10 }, 1), 1);
    expect(g711).toMatchObject({ profile: 'informed', verdict: 'fair' });
    const g729 = play(rulesOf('informed'), 'g729', even).channel.streams[1];
    expect(g729?.rValue).toBeCloseTo(informedR(2, { ie: 10, bpl: 19 }, 1), 1);
    const unknown = play(rulesOf('informed'), 'mystery', even).channel.streams[1];
    expect(unknown?.rValue).toBeCloseTo(Number(g711?.rValue), 9);
    expect(unknown?.mosCq).toBeNull();
  });

  test('takes bursts from how unevenly the reports lost', () => {
    const bursts = Array.from({ length: 12 }, (_, index) => (index % 2 === 0 ? 20 : 0));
    // χ² = 12 · 10² / (250 · 0.04 · 0.96) = 125; D = 125 / 11; BurstR = (1 + D) / 2 = 6.18.
    const { channel } = play(rulesOf('informed'), 'ulaw', bursts);
    expect(channel.streams[1]?.rValue).toBeCloseTo(informedR(4, { ie: 0, bpl: 10 }, 6.1818), 0);
    // The same loss at random is better.
    const even = play(
      rulesOf('informed'),
      'ulaw',
      Array.from({ length: 12 }, () => 10),
    ).channel.streams[1];
    expect(Number(even?.rValue) - Number(channel.streams[1]?.rValue)).toBeGreaterThan(8);
  });

  test('takes bursts from captured packets where there are any', () => {
    const even = Array.from({ length: 12 }, () => 10);
    const played = play(rulesOf('informed'), 'ulaw', even, burstyTally());
    const [rx, tx] = played.channel.streams;
    // Of what was received; of what we sent the packets show how it left.
    expect(rx?.rValue).toBeCloseTo(informedR(4, { ie: 0, bpl: 10 }, 3.84), 0);
    expect(tx?.rValue).toBeCloseTo(informedR(4, { ie: 0, bpl: 10 }, 1), 0);
  });

  test.each(['PJSIP/mobile*', 'device:Yealink SIP-W*', 'site:Lyon', 'network:mobile'])(
    'adds what %s forgives',
    (pattern) => {
      const even = Array.from({ length: 12 }, () => 5);
      const advantages = [{ pattern, advantage: 10 }];
      const plain = play(rulesOf('informed'), 'ulaw', even).channel.streams[1];
      const forgiven = play(rulesOf('informed', { advantages }), 'ulaw', even).channel.streams[1];
      expect(Number(forgiven?.rValue) - Number(plain?.rValue)).toBeCloseTo(10, 9);
    },
  );
});

/** 1,200 packets of which 48 are lost, in twelve runs of four: BurstR 4 · (1 − 0.04). */
function burstyTally(): PacketTally {
  return {
    firstAtMs: 0,
    lastAtMs: 24_000,
    packetsReceived: 1152,
    packetsExpected: 1200,
    duplicates: 0,
    outOfOrder: 0,
    jitterSumMs: 0,
    jitterSamples: 0,
    jitterMaxMs: 0,
    maxGapMs: 100,
    arrivalCounts: [],
    burstGap: {
      bursts: 12,
      burstPackets: 48,
      burstLosses: 48,
      gaps: 13,
      gapPackets: 1152,
      gapLosses: 0,
      lossRuns: 12,
      longestLossRun: 4,
    },
    burstMs: 960,
    gapMs: 23_040,
    longestLossMs: 80,
    burstSpans: [],
    burstSpansLeftOut: 0,
    discarded: 0,
    frames10ms: { normal: 2304, plc: 96, cng: 0, silence: 0 },
    fills: 12,
    gmin: 16,
    jbNominalMs: 60,
    jbMaximumMs: 60,
    jbAbsMaxMs: 60,
    isJitterBufferAdaptive: false,
  };
}

describe('what the settings say of a codec', () => {
  test('counts for what is reported and for what is captured', () => {
    const codecs = new Map([['g711', { bpl: 25.1, r0Is: 90 }]]);
    const even = Array.from({ length: 12 }, () => 10);
    const { channel } = play(rulesOf('documented', { codecs }), 'ulaw', even, burstyTally());
    const [rx] = channel.streams;
    // 90 − 95 · 4 / (4 + 25.1); captured with BurstR 3.84.
    expect(rx?.rLq).toBeCloseTo(90 - 380 / 29.1, 1);
    expect(rx?.capture?.rLq).toBeCloseTo(90 - 380 / (4 / 3.84 + 25.1), 1);
  });
});

describe('scoring again', () => {
  const PROFILES = ['documented', 'documented-per-report', 'informed', 'asterisk-22.10'] as const;
  const lost = [0, 20, 0, 3, 40, 0, 0, 12, 0, 0, 7, 1];

  function stored({ changes, channel }: Told): Parameters<typeof rescoreCall>[0] {
    const call = changes.findLast((change) => change.kind === 'call');
    if (call?.kind !== 'call') throw new Error('no call was stored');
    const intervals = changes.flatMap((change): IntervalRecord[] =>
      change.kind === 'interval' ? [change.interval] : [],
    );
    const segments = new Map<string, SegmentRecord>();
    for (const change of changes) {
      if (change.kind === 'segment')
        segments.set(`${change.segment.direction}${change.segment.segmentNumber}`, change.segment);
    }
    return { call: call.call, channels: [{ channel, segments: [...segments.values()], intervals }], peers: [] };
  }

  const scores = (channel: ChannelRecord | undefined, call: CallRecord | undefined): unknown => [
    channel?.mesRx,
    channel?.mesTx,
    channel?.mesMin,
    channel?.verdict,
    channel?.streams.map(({ rValue, mes, verdict, why }) => [rValue, mes, verdict, why]),
    [call?.mes, call?.mesMin, call?.verdict, call?.faultWhy],
  ];

  test.each(PROFILES.flatMap((from) => PROFILES.map((into) => [from, into] as const)))(
    'from %s to %s gives what was scored so from the start',
    (from, into) => {
      const again = rescoreCall(stored(play(rulesOf(from), 'g722', lost)), rulesOf(into));
      const fresh = stored(play(rulesOf(into), 'g722', lost));
      expect(scores(again?.channels[0], again?.call)).toEqual(scores(fresh.channels[0]?.channel, fresh.call));
      expect(again?.channels[0]?.streams.map(({ profile }) => profile)).toEqual([into, into]);
    },
  );
});
