import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openForWriting } from '../../../src/history/schema/database.ts';
import { Queries } from '../../../src/history/read/queries.ts';
import { FEATURES } from '../../../src/history/schema/features.ts';
import { Writer } from '../../../src/history/write/writer.ts';
import type { CallFilter } from '../../../src/model/ports.ts';
import type { HistoryChange } from '../../../src/model/record.ts';
import { batchOf, callRecord, channelRecord, intervalRecord, START_MS, streamRecord } from './records.ts';

let folder: string;
let database: Database;
let writer: Writer;
let queries: Queries;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mes-writer-'));
  database = openForWriting(join(folder, 'mes.sqlite'));
  writer = new Writer(database);
  queries = new Queries(database);
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

function commit(...changes: HistoryChange[]) {
  return writer.commit(batchOf(...changes));
}

function call(linkedid: string, part: Parameters<typeof callRecord>[1] = {}): HistoryChange {
  return { kind: 'call', call: callRecord(linkedid, part) };
}
function channel(uniqueid: string, part: Parameters<typeof channelRecord>[1] = {}): HistoryChange {
  return { kind: 'channel', channel: channelRecord(uniqueid, part), resume: null };
}
function interval(
  uniqueid: string,
  reportNumber: number,
  part: Parameters<typeof intervalRecord>[2] = {},
): HistoryChange {
  return { kind: 'interval', interval: intervalRecord(uniqueid, reportNumber, part) };
}
function merge(fromLinkedid: string, intoLinkedid: string): HistoryChange {
  return { kind: 'call-merged', fromLinkedid, intoLinkedid };
}

/** Moves recent reports to where they stay. */
function move(): void {
  while (writer.move() > 0);
}

function dump(): unknown {
  move();
  const tables = ['calls', 'call_aliases', 'channels', 'streams', 'intervals', 'resumes', 'call_sums', 'call_terms'];
  return tables.map((table) => {
    const rows = database.prepare(`SELECT * FROM ${table}`).all();
    return [table, rows.map((row) => JSON.stringify(row)).sort()];
  });
}
function wipe(): void {
  for (const table of [
    'stored_intervals',
    'recent_intervals',
    'resumes',
    'calls',
    'call_aliases',
    'call_sums',
    'call_terms',
  ])
    database.exec(`DELETE FROM ${table}`);
}
function channelsOf(linkedid: string): string[] | undefined {
  return queries.call(linkedid)?.channels.map(({ uniqueid }) => uniqueid);
}

describe('joined calls', () => {
  it('are one call, found under every linkedid that it ever had', () => {
    commit(call('a'), channel('a'), call('b', { mes: 2 }), channel('b'), call('c'), channel('c'));
    commit(merge('a', 'b'), merge('b', 'c'), call('c', { mes: 3 }));
    for (const linkedid of ['a', 'b', 'c']) {
      expect(queries.call(linkedid)?.linkedid).toBe('c');
      expect(channelsOf(linkedid)).toEqual(['a', 'b', 'c']);
    }
    expect(queries.calls({ filter: {}, limit: 10, cursor: null }).calls.map(({ linkedid }) => linkedid)).toEqual(['c']);
    expect(queries.call('c')?.mes).toBe(3);
    expect(queries.channel('a')?.linkedid).toBe('c');
  });

  it('do not come apart when a late record names the old linkedid', () => {
    commit(call('a'), channel('a'), call('b'), channel('b'), merge('a', 'b'));
    commit(channel('a', { codec: 'g722' }), call('a', { mes: 1 }), channel('new', { linkedid: 'a' }));
    expect(channelsOf('b')).toEqual(['a', 'b', 'new']);
    expect(queries.call('a')).toEqual(queries.call('b'));
    expect(queries.call('b')?.mes).toBe(4.2);
    expect(queries.channel('a')?.codec).toBe('g722');
  });

  it('keep what was known when the call that takes them in has no record yet', () => {
    commit(call('a', { mes: 1.5 }), channel('a'), merge('a', 'b'));
    expect(queries.call('b')).toMatchObject({ linkedid: 'b', mes: 1.5 });
    expect(channelsOf('a')).toEqual(['a']);
  });

  it('let go of a single channel that Asterisk moved to another call', () => {
    commit(call('a'), channel('a1', { linkedid: 'a' }), channel('a2', { linkedid: 'a' }), call('b'));
    commit(channel('a2', { linkedid: 'b' }));
    expect(channelsOf('a')).toEqual(['a1']);
    expect(channelsOf('b')).toEqual(['a2']);
  });

  it('may be joined back', () => {
    commit(call('a'), channel('a'), call('b'), channel('b'), merge('a', 'b'), merge('b', 'a'), call('a', { mes: 2 }));
    expect(channelsOf('a')).toEqual(['a', 'b']);
    expect(queries.call('b')).toEqual(queries.call('a'));
    expect(queries.call('a')?.mes).toBe(2);
    commit(merge('a', 'a'));
    expect(channelsOf('a')).toEqual(['a', 'b']);
  });
});

describe('recording', () => {
  const ids = fc.constantFrom('a', 'b', 'c', 'd');
  const change: fc.Arbitrary<HistoryChange> = fc.oneof(
    fc.tuple(ids, fc.nat(5)).map(([id, mes]) => call(id, { mes, endedAtMs: mes === 5 ? START_MS : null })),
    fc
      .tuple(ids, fc.nat(2), fc.nat(5))
      .map(([linkedid, n, reports]) =>
        channel(`${linkedid}${n}`, { linkedid, streams: [streamRecord({ reports })], mes: reports }),
      ),
    fc.tuple(ids, fc.integer({ min: 1, max: 4 }), fc.nat(5)).map(([id, n, mes]) => interval(id, n, { mes })),
  );
  // Merges as they really are: into a call that is not itself merged away.
  const history = fc
    .array(fc.oneof({ weight: 8, arbitrary: change }, { weight: 1, arbitrary: fc.constant(null) }), { maxLength: 40 })
    .map((changes) => {
      const targets = ['b', 'c', 'd'];
      return changes.flatMap((one) => {
        if (one !== null) return [one];
        const into = targets.shift();
        return into === undefined ? [] : [merge(String.fromCodePoint(into.charCodeAt(0) - 1), into), call(into)];
      });
    });

  it('the same changes in batches of any size, or all of them twice, leaves the same history', () => {
    fc.assert(
      fc.property(history, fc.infiniteStream(fc.integer({ min: 1, max: 7 })), (changes, sizes) => {
        wipe();
        for (const one of changes) commit(one);
        const oneByOne = dump();

        wipe();
        const rest = [...changes];
        for (const size of sizes) {
          if (rest.length === 0) break;
          commit(...rest.splice(0, size));
        }
        expect(dump()).toEqual(oneByOne);

        commit(...changes);
        move();
        const keys = changes.flatMap((one) =>
          one.kind === 'interval' ? [`${one.interval.uniqueid} ${one.interval.reportNumber}`] : [],
        );
        expect(database.prepare('SELECT count(*) FROM intervals').pluck().get()).toBe(new Set(keys).size);
        expect(dump()).toEqual(oneByOne);
      }),
      { numRuns: 150 },
    );
  });

  it('all or nothing when the disk is full, and everything once there is room', () => {
    const pages = Number(database.pragma('page_count', { simple: true }));
    database.pragma(`max_page_count = ${pages + 2}`);
    const changes = Array.from({ length: 2000 }, (_, n) => interval('c', n + 1));
    expect(() => commit(channel('c'), ...changes)).toThrow(expect.objectContaining({ code: 'SQLITE_FULL' }));
    expect(queries.channel('c')).toBeNull();
    database.pragma('max_page_count = 1000000');
    expect(commit(channel('c'), ...changes)).toMatchObject({ applied: 2001, rejected: 0, rejection: null });
    expect(queries.intervals('c')).toHaveLength(2000);
  });
});

describe('retention', () => {
  const limits = { intervalsBeforeMs: START_MS, callsBeforeMs: START_MS - 1000 };
  /** So long a step takes. */
  let stepMs: number;
  beforeEach(() => {
    let atMs = 0;
    stepMs = 40;
    // It looks at the clock at the beginning and at the end of a step.
    writer = new Writer(database, FEATURES, () => (atMs += stepMs));
  });
  function purgeAll(): number[] {
    move();
    const deleted: number[] = [];
    do deleted.push(writer.purge(limits));
    while (deleted.at(-1) !== 0);
    return deleted;
  }

  it('deletes what is too old, in chunks, and nothing of what is up', () => {
    const old = START_MS - 5000;
    commit(call('old', { startedAtMs: old, endedAtMs: old }), channel('old', { endedAtMs: old }));
    commit(merge('older', 'old'));
    commit(call('up', { startedAtMs: old }), channel('up', { startedAtMs: old }));
    commit(call('kept', { endedAtMs: START_MS }), channel('kept', { endedAtMs: START_MS }));
    // One call whose record says ended while a channel of it is up.
    commit(call('odd', { endedAtMs: old }), channel('odd'));
    for (const id of ['old', 'up', 'kept', 'odd']) {
      commit(...Array.from({ length: 3000 }, (_, n) => interval(id, n + 1, { atMs: START_MS + n - 1500 })));
    }
    const deleted = purgeAll();
    // 1500 each of "old" and "kept" are too old; the other 1500 of "old" go with their call.
    expect(deleted).toEqual([2000, 1000, 1500, 1, 0]);
    expect(queries.call('old')).toBeNull();
    expect(queries.call('older')).toBeNull();
    expect(database.prepare('SELECT count(*) FROM call_aliases').pluck().get()).toBe(0);
    expect(
      database.prepare('SELECT uniqueid, count(*) AS n FROM intervals GROUP BY uniqueid ORDER BY 1').all(),
    ).toEqual([
      { uniqueid: 'kept', n: 1500 },
      { uniqueid: 'odd', n: 3000 },
      { uniqueid: 'up', n: 3000 },
    ]);
    expect(database.prepare('SELECT uniqueid FROM streams ORDER BY 1').pluck().all()).toEqual(['kept', 'odd', 'up']);
  });

  it('never deletes more than a chunk at a time', () => {
    commit(...Array.from({ length: 12_000 }, (_, n) => interval('gone', n + 1, { atMs: 1 })));
    expect(purgeAll()).toEqual([2000, 2000, 2000, 2000, 2000, 2000, 0]);
  });

  it('deletes less at a time while that takes long, and more again when it does not', () => {
    commit(...Array.from({ length: 9000 }, (_, n) => interval('gone', n + 1, { atMs: 1 })));
    move();
    stepMs = 41;
    expect(Array.from({ length: 7 }, () => writer.purge(limits))).toEqual([2000, 1000, 500, 250, 125, 100, 100]);
    stepMs = 1;
    expect(purgeAll()).toEqual([100, 200, 400, 800, 1600, 1825, 0]);
  });
});

describe('the list of calls', () => {
  beforeEach(() => {
    commit(
      call('1', { startedAtMs: START_MS, mes: 4.3, verdict: 'good' }),
      channel('1a', { linkedid: '1', endpoint: 'PJSIP/alice' }),
      channel('1b', { linkedid: '1', endpoint: 'PJSIP/bob', streams: [streamRecord({ codec: 'g722' })] }),
      call('2', { startedAtMs: START_MS + 1000, mes: 2, verdict: 'bad' }),
      channel('2a', { linkedid: '2', endpoint: 'PJSIP/alice_2' }),
      call('3', { startedAtMs: START_MS + 1000, mes: null, verdict: 'no-rtcp' }),
      channel('3a', { linkedid: '3', endpoint: 'PJSIP/al*ce', streams: [] }),
    );
  });
  function list(filter: CallFilter): string[] {
    return queries.calls({ filter, limit: 10, cursor: null }).calls.map(({ linkedid }) => linkedid);
  }

  it.each([
    [{}, ['3', '2', '1']],
    [{ fromMs: START_MS + 1000 }, ['3', '2']],
    [{ toMs: START_MS + 1000 }, ['1']],
    [{ fromMs: START_MS, toMs: START_MS + 1 }, ['1']],
    [{ endpoints: ['PJSIP/alice'] }, ['1']],
    [{ endpoints: ['PJSIP/alice*'] }, ['2', '1']],
    [{ endpoints: ['PJSIP/al*ce'] }, ['3']],
    [{ endpoints: ['PJSIP/al_ce*'] }, []],
    [{ endpoints: ['PJSIP/al%'] }, []],
    [{ endpoints: ['*'] }, ['3', '2', '1']],
    [{ codecs: ['g722'] }, ['1']],
    [{ numbers: ['100'] }, ['3', '2', '1']],
    [{ numbers: ['2*'] }, ['3', '2', '1']],
    [{ numbers: ['2'] }, []],
    [{ numbers: ['200'], verdicts: ['bad'] as const }, ['2']],
    [{ codecs: ['ulaw'] }, ['2', '1']],
    [{ verdicts: ['no-rtcp'] as const }, ['3']],
    [{ maxMes: 2 }, ['2']],
    [{ minMes: 2 }, ['2', '1']],
    [{ minMes: 2.1, maxMes: 4.2 }, []],
    [{ endpoints: ['PJSIP/a*'], codecs: ['g722'], minMes: 4, verdicts: ['good'] as const, fromMs: 0 }, ['1']],
  ] satisfies [CallFilter, string[]][])('filtered by %j is %j', (filter, linkedids) => {
    expect(list(filter)).toEqual(linkedids);
  });

  it('goes on behind the cursor, without a gap and without a double, also when calls began together', () => {
    commit(...Array.from({ length: 25 }, (_, n) => call(`x${n}`, { startedAtMs: START_MS + Math.floor(n / 4) })));
    const seen: string[] = [];
    let cursor = null;
    let pages = 0;
    do {
      const page = queries.calls({ filter: { fromMs: START_MS }, limit: 4, cursor });
      seen.push(...page.calls.map(({ linkedid }) => linkedid));
      cursor = page.next;
      pages++;
      // A new call at the top must not move the pages behind it.
      commit(call(`later${pages}`, { startedAtMs: START_MS + 60_000 + pages }));
    } while (cursor !== null && pages < 20);
    expect(pages).toBe(7);
    expect(seen).toHaveLength(28);
    expect(new Set(seen).size).toBe(28);
    expect(seen.slice(0, 3)).toEqual(['3', '2', 'x24']);
  });
});
