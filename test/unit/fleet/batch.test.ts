import { describe, expect, test } from 'vitest';
import { BatchError, readBatch as readRows, type SequencedRow, writeBatch } from '../../../src/fleet/batch.ts';
import { callRows } from '../../../src/fleet/call-rows.ts';
import { callRecord, channelRecord, intervalRecord, START_MS } from '../history/records.ts';

const NOW_MS = START_MS + 3_600_000;

function readBatch(text: string, nowMs: number) {
  const rows: SequencedRow[] = [];
  const end = readRows(text, nowMs, (row) => rows.push(row));
  return { rows, ...end };
}

function rowsOfACall(): SequencedRow[] {
  const call = { ...callRecord('1.1'), channels: [channelRecord('1.2', { linkedid: '1.1' })] };
  const rows = callRows(
    { call, segments: [], intervals: [intervalRecord('1.2', 1), intervalRecord('1.2', 2)] },
    NOW_MS,
  );
  return rows.map((row, index) => ({ ...row, sequence: index + 5 }));
}

describe('a batch', () => {
  test('comes back as it was sent, and says what it ends with', () => {
    const rows = rowsOfACall();
    expect(rows.map(({ kind }) => kind)).toEqual(['channels', 'streams', 'intervals', 'intervals', 'calls']);
    const { rows: read, lastSequence, unknownColumns } = readBatch(writeBatch(rows), NOW_MS);
    expect(read).toEqual(rows);
    expect(lastSequence).toBe(9);
    expect([...unknownColumns]).toEqual([]);
    expect(read[0]?.cells).toMatchObject({ uniqueid: '1.2', linkedid: '1.1' });
  });

  const line = (part: object): string =>
    JSON.stringify({
      sequence: 1,
      kind: 'calls',
      version: NOW_MS,
      call_started_at_ms: START_MS,
      row: { linkedid: '1.1' },
      ...part,
    });

  test('of a newer PBX loses only what this gateway does not know', () => {
    const { rows, unknownColumns } = readBatch(line({ row: { linkedid: '1.1', mes: 4.2, warmth: 3 } }), NOW_MS);
    expect(rows[0]?.cells).toEqual({ linkedid: '1.1', mes: 4.2 });
    expect([...unknownColumns]).toEqual(['warmth']);
  });

  test("has the gateway's time of a PBX's state, whatever the PBX says of it", () => {
    const row = { hour: 5, at_ms: START_MS, heard_at_ms: 1 };
    expect(readBatch(line({ kind: 'heartbeats', row }), NOW_MS).rows[0]?.cells).toEqual({
      ...row,
      heard_at_ms: NOW_MS,
    });
  });

  test('of an older PBX has columns that are not known', () => {
    expect(readBatch(line({}), NOW_MS).rows[0]?.cells).toEqual({ linkedid: '1.1' });
  });

  test.each([
    ['', 'there is no row'],
    ['{', 'line 1: it is no JSON'],
    [line({ pbx: 'other' }), 'line 1: "pbx" is not allowed; whose rows these are the token says'],
    [line({ row: { linkedid: '1.1', pbx: 'other' } }), 'line 1: a row may not say its pbx'],
    [line({ row: { linkedid: '1.1', site: 'other' } }), 'line 1: a row may not say its site'],
    [line({ kind: 'users' }), 'line 1: its kind is not known'],
    [line({ kind: 'constructor' }), 'line 1: its kind is not known'],
    [line({ row: { mes: 4 } }), 'line 1: linkedid is missing'],
    [line({ row: { linkedid: null } }), 'line 1: linkedid is missing'],
    [line({ row: { linkedid: '1', mes: '4' } }), 'line 1: mes is no number'],
    [line({ row: { linkedid: 7 } }), 'line 1: linkedid is no text'],
    [
      line({ call_started_at_ms: NOW_MS + 366 * 86_400_000 }),
      "line 1: the call began in the future; set the PBX's clock",
    ],
    [line({ version: NOW_MS + 366 * 86_400_000 }), "line 1: its version is of the future; set the PBX's clock"],
    [line({ call_started_at_ms: 0 }), 'line 1: the call began more than ten years ago'],
    [`${line({})}\n${line({})}`, 'line 2: its sequence is not above the one before'],
    [Array.from({ length: 20_001 }, (_, index) => line({ sequence: index })).join('\n'), 'more than 20000 rows'],
  ])('that is wrong is refused whole, in one sentence: %.60s', (text, sentence) => {
    expect(() => readBatch(text, NOW_MS)).toThrow(BatchError);
    expect(() => readBatch(text, NOW_MS)).toThrow(sentence);
  });
});
