import type { Database } from 'better-sqlite3';
import * as fc from 'fast-check';
import { expect } from 'vitest';
import type { Writer } from '../../../src/history/write/writer.ts';
import type { HistoryChange, StreamRecord } from '../../../src/model/record.ts';
import { AUDIO_FINDINGS } from '../../../src/model/capture.ts';
import { CALL_ENDERS } from '../../../src/model/call-end.ts';
import { FAULT_PLACES } from '../../../src/model/fault.ts';
import { VERDICTS } from '../../../src/model/score.ts';
import { batchOf, callRecord, channelRecord, streamRecord } from './records.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
/** 2026-11-16T00:00:00Z, when a day begins. */
export const FIRST_MS = 1_794_787_200_000;
export const LAST_MS = FIRST_MS + 4 * DAY_MS;
/** One is the beginning of another, two part in half a character that takes two places, one has no media. */
export const ENDPOINTS = ['PJSIP/a', 'PJSIP/ab', 'PJSIP/b', 'SIP/😀', 'SIP/😁', 'Local/600@queue'];
/** Sixty-fourths add up exactly in any order, so that a mean in the middle of two hundredths is rounded alike by all. */
const score = fc.option(fc.integer({ min: 64, max: 288 }).map((n) => n / 64));
const verdict = fc.option(fc.constantFrom(...VERDICTS));
export const momentMs = fc.oneof(
  fc.integer({ min: FIRST_MS, max: LAST_MS }),
  fc.integer({ min: 0, max: 96 }).map((hours) => FIRST_MS + hours * HOUR_MS),
);
export const DEVICES = ['Yealink SIP-T54W 96.86.0.100', 'Yealink SIP-T46S 66.86.0.15', 'Linphonec 5.1.65'] as const;
export const SITES = ['Berlin', 'Bern'] as const;
export const NUMBERS = ['100', '1001', '+49 30 1', '2'];
const number = fc.constantFrom(...NUMBERS);
export const CODECS = ['ulaw', 'g722'];
const linkedid = fc.integer({ min: 0, max: 11 }).map((n) => `call-${n}`);

const stream: fc.Arbitrary<StreamRecord> = fc
  .record({
    codec: fc.option(fc.constantFrom(...CODECS)),
    packetsExpected: fc.option(fc.nat(1000)),
    packetsLost: fc.option(fc.integer({ min: -5, max: 50 })),
    jitterCount: fc.nat(9),
    rttCount: fc.nat(9),
    mean: fc.integer({ min: 0, max: 4000 }).map((n) => n / 8),
  })
  .map(({ codec, packetsExpected, packetsLost, jitterCount, rttCount, mean }) => {
    const samples = (count: number) => {
      const known = count === 0 ? null : mean;
      return { last: known, mean: known, min: known, max: known, stdev: known, count };
    };
    return streamRecord({
      codec,
      packetsExpected,
      packetsLost,
      jitterMs: samples(jitterCount),
      rttMs: samples(rttCount),
    });
  });

const call = fc
  .record({
    linkedid,
    startedAtMs: momentMs,
    endedAtMs: fc.option(momentMs, { freq: 6 }),
    lengthS: fc.option(fc.nat(1300)),
    mes: score,
    verdict,
    faultPlace: fc.option(fc.constantFrom(...FAULT_PLACES)),
    endedBy: fc.option(fc.constantFrom(...CALL_ENDERS)),
    findings: fc.option(fc.subarray([...AUDIO_FINDINGS], { minLength: 1 }).map((words) => words.join(' '))),
  })
  .map(({ lengthS, ...part }): HistoryChange => {
    const endedAtMs = part.endedAtMs === null || lengthS === null ? part.endedAtMs : part.startedAtMs + lengthS * 1000;
    return { kind: 'call', call: callRecord(part.linkedid, { ...part, endedAtMs }) };
  });
const channel = fc
  .record({
    // A channel of the same name is the one that the call began with.
    uniqueid: fc.oneof(
      fc.integer({ min: 0, max: 24 }).map((n) => `channel-${n}`),
      linkedid,
    ),
    linkedid,
    endpoint: fc.constantFrom(...ENDPOINTS),
    startedAtMs: momentMs,
    endedAtMs: fc.option(momentMs),
    device: fc.option(fc.constantFrom(...DEVICES)),
    site: fc.option(fc.constantFrom(...SITES)),
    callerNumber: fc.option(number),
    connectedNumber: fc.option(number),
    mes: score,
    verdict,
    streams: fc.array(stream, { maxLength: 2 }),
  })
  .map((part): HistoryChange => {
    const streams = part.streams.map((one, index) => ({ ...one, direction: index === 0 ? 'rx' : 'tx' }) as const);
    return { kind: 'channel', channel: channelRecord(part.uniqueid, { ...part, streams }), resume: null };
  });
const merge = fc
  .tuple(linkedid, linkedid)
  .map(([from, into]): HistoryChange => ({ kind: 'call-merged', fromLinkedid: from, intoLinkedid: into }));
const batch = fc.array(
  fc.oneof({ weight: 6, arbitrary: call }, { weight: 6, arbitrary: channel }, { weight: 1, arbitrary: merge }),
  { minLength: 1, maxLength: 30 },
);
/** A batch of changes; or everything that ended before a moment expires. */
const step = fc.oneof({ weight: 5, arbitrary: batch }, { weight: 1, arbitrary: momentMs });

/** What a sidecar may record in the course of time: calls that end, change after their end, are joined and expire. */
export const steps = fc.array(step, { minLength: 1, maxLength: 8 });

type Writing = Pick<Writer, 'commit' | 'countEnded' | 'purge'>;

/** Makes this the whole history of a database; returns how many of its calls are counted. */
export function makeHistory(
  database: Database,
  writer: Writing,
  all: readonly (readonly HistoryChange[] | number)[],
): number {
  for (const table of ['calls', 'call_aliases', 'call_sums', 'call_terms']) database.exec(`DELETE FROM ${table}`);
  for (const [index, one] of all.entries()) {
    // Of some steps together.
    if (index % 2 === 1) writer.countEnded();
    if (typeof one !== 'number') commit(writer, one);
    else while (writer.purge({ intervalsBeforeMs: 0, callsBeforeMs: one }) > 0);
  }
  return Number(database.prepare('SELECT count(*) FROM calls WHERE is_counted = 1').pluck().get());
}

function commit(writer: Writing, changes: readonly HistoryChange[]): void {
  expect(writer.commit(batchOf(...changes)).rejection).toBeNull();
}
