import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CallSearch } from '../../../src/history/read/call-search.ts';
import { openForWriting } from '../../../src/history/schema/database.ts';
import { Queries } from '../../../src/history/read/queries.ts';
import { Writer } from '../../../src/history/write/writer.ts';
import { AUDIO_FINDINGS } from '../../../src/model/capture.ts';
import type { CallCursor, CallFilter, CallOrder, CallWithChannels } from '../../../src/model/ports.ts';
import type { ChannelRecord } from '../../../src/model/record.ts';
import { CALL_ENDERS } from '../../../src/model/call-end.ts';
import { FAULT_PLACES } from '../../../src/model/fault.ts';
import { VERDICTS } from '../../../src/model/score.ts';
import { DEVICES, SITES } from './random-history.ts';
import { CODECS, ENDPOINTS, makeHistory, momentMs, NUMBERS, steps } from './random-history.ts';

let folder: string;
let database: Database;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mes-search-'));
  database = openForWriting(join(folder, 'mes.sqlite'));
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

const sixtyFourth = fc.integer({ min: 64, max: 288 }).map((n) => n / 64);
const endpointPattern = fc.constantFrom(...ENDPOINTS, 'PJSIP/*', 'PJSIP/a*', 'SIP/*', '*', 'Z*');
const numberPattern = fc.constantFrom(...NUMBERS, '1*', '+*', '10*', '*', '9*');
const some = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.uniqueArray(value, { minLength: 1, maxLength: 3 });
const seconds = fc.integer({ min: 0, max: 1300 });
const everything = fc.record({
  fromMs: momentMs,
  toMs: momentMs,
  endpoints: some(endpointPattern),
  direction: fc.constantFrom('from' as const, 'to' as const),
  codecs: some(fc.constantFrom(...CODECS)),
  numbers: some(numberPattern),
  party: fc.record({
    endpoints: some(endpointPattern),
    numbers: fc.oneof(fc.constant<string[]>([]), some(numberPattern)),
  }),
  devices: some(fc.constantFrom(...DEVICES, 'Yealink*', 'Yealink SIP-T54W*', 'L*', '*', 'Snom*')),
  sites: some(fc.constantFrom(...SITES, 'Ber*', 'Berl*', 'Rome')),
  verdicts: some(fc.constantFrom(...VERDICTS)),
  faultPlaces: some(fc.constantFrom(...FAULT_PLACES)),
  enders: some(fc.constantFrom(...CALL_ENDERS)),
  findings: some(fc.constantFrom(...AUDIO_FINDINGS)),
  tags: some(fc.constantFrom('odd', 'third', 'none')),
  minMes: sixtyFourth,
  maxMes: sixtyFourth,
  minDurationS: seconds,
  maxDurationS: seconds,
});
type Everything = typeof everything extends fc.Arbitrary<infer All> ? All : never;
const NAMES = [
  'fromMs',
  'toMs',
  'endpoints',
  'direction',
  'codecs',
  'numbers',
  'party',
  'devices',
  'sites',
  'verdicts',
  'faultPlaces',
  'enders',
  'findings',
  'tags',
  'minMes',
  'maxMes',
  'minDurationS',
  'maxDurationS',
] as const satisfies readonly (keyof Everything)[];
const filter = fc
  .tuple(everything, fc.subarray([...NAMES], { maxLength: 3 }))
  .map(([all, names]): CallFilter => Object.fromEntries(names.map((name) => [name, all[name]])));

function fits(text: string | null, wanted: readonly string[]): boolean {
  return wanted.some((one) => (one.endsWith('*') ? text?.startsWith(one.slice(0, -1)) === true : text === one));
}

/** By the number in the linkedid of a call. */
const TAGS: readonly (readonly [tag: string, every: number])[] = [
  ['odd', 2],
  ['third', 3],
];

function isTagged(linkedid: string, wanted: readonly string[]): boolean {
  const number = Number(linkedid.slice('call-'.length));
  return TAGS.some(([tag, every]) => wanted.includes(tag) && number % every === 1);
}

function tagCalls(calls: readonly CallWithChannels[]): void {
  database.exec('DELETE FROM call_tags');
  const statement = database.prepare('INSERT INTO call_tags VALUES (?, ?, ?, NULL, 0)');
  for (const { linkedid, startedAtMs } of calls) {
    for (const [tag] of TAGS) if (isTagged(linkedid, [tag])) statement.run(linkedid, tag, startedAtMs);
  }
}

/** What the parameters of /v1/calls mean, said once more. */
function isWanted(call: CallWithChannels, wanted: CallFilter): boolean {
  const { fromMs = 0, toMs = Infinity, endpoints, codecs, numbers, party, verdicts, faultPlaces } = wanted;
  const { minMes, maxMes, minDurationS = 0, maxDurationS = Infinity } = wanted;
  const { channels, mes } = call;
  const isTimed = wanted.minDurationS !== undefined || wanted.maxDurationS !== undefined;
  const durationS = call.endedAtMs === null ? NaN : (call.endedAtMs - call.startedAtMs) / 1000;
  const hasNumber = (which: readonly string[]): boolean =>
    channels.some(({ callerNumber, connectedNumber }) => fits(callerNumber, which) || fits(connectedNumber, which));
  const isOn = ({ uniqueid, linkedid }: ChannelRecord): boolean =>
    wanted.direction === undefined || (wanted.direction === 'from') === (uniqueid === linkedid);
  return (
    call.startedAtMs >= fromMs &&
    call.startedAtMs < toMs &&
    (wanted.devices === undefined || channels.some(({ device }) => fits(device, wanted.devices ?? []))) &&
    (wanted.sites === undefined || channels.some(({ site }) => fits(site, wanted.sites ?? []))) &&
    (verdicts === undefined || (call.verdict !== null && verdicts.includes(call.verdict))) &&
    (faultPlaces === undefined || (call.faultPlace !== null && faultPlaces.includes(call.faultPlace))) &&
    (wanted.enders === undefined || (call.endedBy !== null && wanted.enders.includes(call.endedBy))) &&
    (wanted.findings === undefined ||
      wanted.findings.some((finding) => call.findings?.split(' ').includes(finding) === true)) &&
    (wanted.tags === undefined || isTagged(call.linkedid, wanted.tags)) &&
    (minMes === undefined || (mes !== null && mes >= minMes)) &&
    (maxMes === undefined || (mes !== null && mes <= maxMes)) &&
    (!isTimed || (durationS >= minDurationS && durationS <= maxDurationS)) &&
    (endpoints === undefined || channels.some((channel) => fits(channel.endpoint, endpoints) && isOn(channel))) &&
    (codecs === undefined ||
      channels.some(({ streams }) => streams.some(({ codec }) => codec !== null && codecs.includes(codec)))) &&
    (numbers === undefined || hasNumber(numbers)) &&
    (party === undefined ||
      channels.some(({ endpoint }) => fits(endpoint, party.endpoints)) ||
      hasNumber(party.numbers))
  );
}

/** What `order` puts first, by the calls themselves; what is not known comes last. */
const KEYS: Readonly<Record<CallOrder, (call: CallWithChannels) => number | null>> = {
  'lowest-score': ({ mes }) => mes,
  'highest-score': ({ mes }) => (mes === null ? null : -mes),
  'lowest-minimum': ({ mesMin }) => mesMin,
  shortest: ({ startedAtMs, endedAtMs }) => (endedAtMs === null ? null : endedAtMs - startedAtMs),
  longest: ({ startedAtMs, endedAtMs }) => (endedAtMs === null ? null : startedAtMs - endedAtMs),
};

it('finds the calls that fit, newest first and page by page, whichever way it takes to them', () => {
  const writer = new Writer(database);
  const queries = new Queries(database);
  const ways = [
    undefined,
    // Of everything there is too much: lists are not counted to their end, not merged, or not sorted.
    { mostCounted: 1, mostMerged: 100, mostSorted: 100 },
    { mostCounted: 100, mostMerged: 1, mostSorted: 100 },
    { mostCounted: 100, mostMerged: 1, mostSorted: 1 },
  ].map((limits) => new CallSearch(database, limits));
  let counted = 0;
  let found = 0;
  fc.assert(
    fc.property(steps, fc.array(filter, { minLength: 5, maxLength: 10 }), (recorded, filters) => {
      counted += makeHistory(database, writer, recorded);
      const linkedids = database
        .prepare<[], string>('SELECT linkedid FROM calls ORDER BY started_at_ms DESC, linkedid DESC')
        .pluck()
        .all();
      const calls = linkedids.flatMap((linkedid) => queries.call(linkedid) ?? []);
      tagCalls(calls);
      for (const wanted of filters) {
        const fitting = calls.filter((call) => isWanted(call, wanted)).map(({ linkedid }) => linkedid);
        found += fitting.length;
        for (const search of ways) {
          let cursor: CallCursor | null = null;
          const seen: string[] = [];
          for (;;) {
            const page = search.find({ filter: wanted, cursor }, 3);
            seen.push(...page.map((row) => String(row['linkedid'])));
            const last = page.at(-1);
            if (last === undefined || seen.length > calls.length) break;
            cursor = { startedAtMs: Number(last['started_at_ms']), linkedid: String(last['linkedid']) };
          }
          expect(seen).toEqual(fitting);
          expect(search.count({ filter: wanted })).toBe(fitting.length);
          for (const [order, keyOf] of Object.entries(KEYS)) {
            const inOrder = calls
              .filter((call) => isWanted(call, wanted))
              .toSorted((one, other) => (keyOf(one) ?? Infinity) - (keyOf(other) ?? Infinity) || 0)
              .slice(0, 4)
              .map(({ linkedid }) => linkedid);
            const rows = search.find({ filter: wanted, cursor: null, order: order as CallOrder }, 4);
            expect(rows.map((row) => String(row['linkedid']))).toEqual(inOrder);
          }
        }
      }
    }),
    { numRuns: 40 },
  );
  expect(counted).toBeGreaterThan(40);
  expect(found).toBeGreaterThan(100);
}, 180_000);
