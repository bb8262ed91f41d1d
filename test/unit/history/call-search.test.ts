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
import type { CallCursor, CallFilter, CallWithChannels } from '../../../src/model/ports.ts';
import { VERDICTS } from '../../../src/model/score.ts';
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
const everything = fc.record({
  fromMs: momentMs,
  toMs: momentMs,
  endpoint: fc.constantFrom(...ENDPOINTS, 'PJSIP/*', 'PJSIP/a*', 'SIP/*', '*', 'Z*'),
  codec: fc.constantFrom(...CODECS),
  number: fc.constantFrom(...NUMBERS, '1*', '+*', '10*', '*', '9*'),
  verdict: fc.constantFrom(...VERDICTS),
  minMes: sixtyFourth,
  maxMes: sixtyFourth,
});
const NAMES = ['fromMs', 'toMs', 'endpoint', 'codec', 'number', 'verdict', 'minMes', 'maxMes'] as const;
const filter = fc
  .tuple(everything, fc.subarray([...NAMES], { maxLength: 3 }))
  .map(([all, names]): CallFilter => Object.fromEntries(names.map((name) => [name, all[name]])));

function fits(text: string | null, wanted: string): boolean {
  return wanted.endsWith('*') ? text?.startsWith(wanted.slice(0, -1)) === true : text === wanted;
}

/** What the parameters of /v1/calls mean, said once more. */
function isWanted(call: CallWithChannels, wanted: CallFilter): boolean {
  const { fromMs = 0, toMs = Infinity, endpoint, codec, number, verdict, minMes, maxMes } = wanted;
  const { channels, mes } = call;
  return (
    call.startedAtMs >= fromMs &&
    call.startedAtMs < toMs &&
    (verdict === undefined || call.verdict === verdict) &&
    (minMes === undefined || (mes !== null && mes >= minMes)) &&
    (maxMes === undefined || (mes !== null && mes <= maxMes)) &&
    (endpoint === undefined || channels.some((channel) => fits(channel.endpoint, endpoint))) &&
    (codec === undefined || channels.some(({ streams }) => streams.some((stream) => stream.codec === codec))) &&
    (number === undefined ||
      channels.some(({ callerNumber, connectedNumber }) => fits(callerNumber, number) || fits(connectedNumber, number)))
  );
}

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
  let settled = 0;
  let found = 0;
  fc.assert(
    fc.property(steps, fc.array(filter, { minLength: 5, maxLength: 10 }), (recorded, filters) => {
      settled += makeHistory(database, writer, recorded);
      const linkedids = database
        .prepare<[], string>('SELECT linkedid FROM calls ORDER BY started_at_ms DESC, linkedid DESC')
        .pluck()
        .all();
      const calls = linkedids.flatMap((linkedid) => queries.call(linkedid) ?? []);
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
        }
      }
    }),
    { numRuns: 40 },
  );
  expect(settled).toBeGreaterThan(40);
  expect(found).toBeGreaterThan(100);
}, 60_000);
