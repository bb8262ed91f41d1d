import { expect, test } from 'vitest';
import { fleetSights } from '../../../src/fleet/alerts/sights.ts';
import type { FleetAlertRule } from '../../../src/model/alert.ts';

const NOW_MS = Date.UTC(2026, 11, 1, 10, 30);
const KNOWN = [
  { name: 'berlin', site: 'north' },
  { name: 'bonn', site: 'north' },
  { name: 'ulm', site: 'south' },
];

function ruleOf(part: Partial<FleetAlertRule>): FleetAlertRule {
  return {
    name: 'made',
    what: 'loss',
    overMs: 3_600_000,
    endpoints: ['*'],
    by: 'endpoint',
    calls: 10,
    raise: 5,
    clear: 2,
    quiet: null,
    againMs: null,
    send: true,
    ...part,
  };
}

type Sums = Readonly<Record<string, number>>;

function sums(subject: string, judged: number, part: Sums): Record<string, unknown> {
  return { subject, sum_calls: judged, sum_judged: judged, ...part, hundredths: [], counts: [] };
}

/** Shards with sums that were made; like ClickHouse, each leaves out what has too few judged calls by itself. */
function shardsOf(shards: readonly (readonly Record<string, unknown>[])[], answered = shards.length) {
  const asked: string[] = [];
  const ask = (sql: string) => {
    asked.push(sql);
    const [, sign, bound] = /\bAND sum_judged (>=?) (\d+)/.exec(sql) ?? [];
    const least = Number(bound) + Number(sign === '>');
    const rows = shards.slice(0, answered).flat();
    const fitting = rows.filter((row) => !('sum_judged' in row) || Number(row['sum_judged']) >= least);
    return Promise.resolve({ rows: fitting as never[], shardsAnswered: answered, shards: shards.length });
  };
  return { store: { ask }, asked };
}

function viewOf(
  store: ReturnType<typeof shardsOf>['store'],
  problemsSinceMs = new Map<string, number>(),
  nowMs = NOW_MS,
) {
  return { store, database: 'mes', known: KNOWN, nowMs, wholeSinceMs: NOW_MS - 86_400_000, problemsSinceMs };
}

async function valuesOf(rule: FleetAlertRule, store: ReturnType<typeof shardsOf>['store']) {
  return (await fleetSights(rule, viewOf(store))).map(({ subject, value, judged }) => [subject, value, judged]);
}

// Each endpoint has 6 and 14 calls on two shards; the means are over packets and reports of both, not over shards.
test.each<[FleetAlertRule['what'], Sums, Sums, number]>([
  // 1 % of 1000 packets and 5.67 % of 3000.
  [
    'loss',
    { sum_packets_lost: 10, sum_packets_expected: 1000 },
    { sum_packets_lost: 170, sum_packets_expected: 3000 },
    4.5,
  ],
  // 10 reports of 20 ms and 30 of 60 ms.
  [
    'jitter',
    { sum_jitter_us: 200_000, sum_jitter_reports: 10 },
    { sum_jitter_us: 1_800_000, sum_jitter_reports: 30 },
    50,
  ],
  // 5 reports of 100 ms and 15 of 300 ms.
  ['rtt', { sum_rtt_us: 500_000, sum_rtt_reports: 5 }, { sum_rtt_us: 4_500_000, sum_rtt_reports: 15 }, 250],
])('%s of an endpoint is that of its calls on all shards', async (what, few, many, expected) => {
  const here = [sums('PJSIP/carrier', 6, few), sums('PJSIP/rare', 6, few)];
  const { store, asked } = shardsOf([here, [sums('PJSIP/carrier', 14, many)]]);
  expect(await valuesOf(ruleOf({ what }), store)).toEqual([['PJSIP/carrier', expected, 20]]);
  expect(asked).toHaveLength(1);
  expect(asked[0]).toContain('SELECT scope AS subject,');
  expect(asked[0]).toContain("scope_kind IN ('endpoint')");
  // Neither has enough calls by itself.
  const halves = shardsOf([[sums('PJSIP/carrier', 6, few)], [sums('PJSIP/carrier', 4, many)]]);
  expect(await valuesOf(ruleOf({ what }), halves.store)).toEqual([['PJSIP/carrier', expected, 10]]);
  expect(await valuesOf(ruleOf({ what, calls: 11 }), halves.store)).toEqual([]);
});

test.each(['endpoint', 'site', 'all'] as const)('by %s, an answer that lacks a shard tells nothing', async (by) => {
  const loss = { sum_packets_lost: 10, sum_packets_expected: 100 };
  const shards = [[sums('one', 20, loss)], [sums('other', 20, loss)]];
  const seen = await valuesOf(ruleOf({ by }), shardsOf(shards).store);
  expect(seen).toEqual([
    ['one', 10, 20],
    ['other', 10, 20],
  ]);
  expect(await valuesOf(ruleOf({ by }), shardsOf(shards, 1).store)).toEqual([]);
  expect(await valuesOf(ruleOf({ by: 'pbx' }), shardsOf(shards, 1).store)).toEqual([['one', 10, 20]]);
});

test('all together are one subject, over calls or over the endpoints that are named', async () => {
  const ofAll = (bad: number, judged: number) => sums('all', judged, { sum_bad: bad });
  const { store, asked } = shardsOf([[ofAll(3, 8)], [ofAll(1, 12)]]);
  const rule = ruleOf({ what: 'bad-calls', by: 'all' });
  expect(await valuesOf(rule, store)).toEqual([['all', 20, 20]]);
  expect(asked[0]).toContain("scope_kind IN ('calls')");
  expect(await valuesOf({ ...rule, endpoints: ['PJSIP/carrier*'] }, store)).toEqual([['all', 20, 20]]);
  expect(asked[1]).toContain("scope_kind IN ('endpoint')");
  expect(asked[1]).toContain("'PJSIP/carrier')");
});

test('what nobody measured is not known, rather than none', async () => {
  const { store } = shardsOf([[sums('PJSIP/mute', 20, { sum_packets_lost: 0, sum_packets_expected: 0 })]]);
  for (const what of ['loss', 'jitter', 'rtt'] as const)
    expect(await valuesOf(ruleOf({ what }), store)).toEqual([['PJSIP/mute', null, 20]]);
});

const beat = (pbx: string, heardAgoS: number, trouble: string | null) => ({
  pbx,
  heard: NOW_MS - heardAgoS * 1000,
  at_site: [''],
  trouble: [trouble],
});

test('a problem lasts since the first word of it, until the PBX is well or silent', async () => {
  const rule = ruleOf({ what: 'problem', by: 'pbx' });
  const since = new Map<string, number>();
  const secondsAt = async (laterS: number, ...beats: readonly Record<string, unknown>[]) => {
    const seen = await fleetSights(rule, viewOf(shardsOf([beats]).store, since, NOW_MS + laterS * 1000));
    return seen.map(({ subject, value }) => [subject, value]);
  };
  const all = (heardAgoS: number, ofBonn: string | null) => [
    beat('berlin', heardAgoS, null),
    beat('bonn', heardAgoS, ofBonn),
    beat('strange', heardAgoS, 'AMI refuses the password'),
  ];
  // One that fleet.conf does not name is nobody's worry.
  const told = (bonn: number) => [
    ['berlin', 0],
    ['bonn', bonn],
    ['strange', 0],
  ];
  expect(await secondsAt(0, ...all(10, 'AMI refuses the password'))).toEqual(told(10));
  expect(await secondsAt(60, ...all(-50, 'no RTCP events'))).toEqual(told(70));
  expect(await secondsAt(120, ...all(-110, null))).toEqual(told(0));
  expect(await secondsAt(180, ...all(-170, 'no RTCP events'))).toEqual(told(10));
  // Silent by now: that is another rule's.
  expect(await secondsAt(180 + 300, ...all(-170, 'no RTCP events'))).toEqual(told(0));
});

test.each<['site' | 'all', [string, number][], [string, number][]]>([
  [
    'site',
    [
      ['north', 20],
      ['south', 0],
    ],
    [
      ['north', 0],
      ['south', 0],
    ],
  ],
  ['all', [['all', 0]], [['all', 0]]],
])('of %s there is a problem when each PBX has it', async (by, whole, part) => {
  const rule = ruleOf({ what: 'problem', by });
  const seen = async (ofBonn: string | null, ofUlm: string | null, answered = 2) => {
    const shards = [[beat('berlin', 40, 'no RTCP')], [beat('bonn', 20, ofBonn), beat('ulm', 30, ofUlm)]];
    const sights = await fleetSights(rule, viewOf(shardsOf(shards, answered).store));
    return sights.map(({ subject, value }) => [subject, value]);
  };
  expect(await seen('no RTCP', null)).toEqual(whole);
  expect(await seen(null, null)).toEqual(part);
  expect((await seen('no RTCP', 'no RTCP')).map(([, value]) => value)).toEqual(by === 'all' ? [20] : [20, 30]);
  expect(await seen('no RTCP', 'no RTCP', 1)).toEqual([]);
});
