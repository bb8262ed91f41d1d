import { expect, it } from 'vitest';
import { packBatch, unpackBatch } from '../../../src/history/packed-batch.ts';
import { CALL_COLUMNS, CHANNEL_COLUMNS, INTERVAL_COLUMNS, STREAM_COLUMNS } from '../../../src/history/rows.ts';
import { callRecord, captureRecord, channelRecord, intervalRecord, segmentRecord, streamRecord } from './records.ts';

it('gives every change back as the cells of its columns, operations first, through a thread', () => {
  const streams = [streamRecord({ why: 'x'.repeat(100), capture: captureRecord() }), streamRecord({ direction: 'tx' })];
  const channel = channelRecord('c-1', { streams });
  const packed = packBatch({
    operations: [
      { kind: 'channel', channel, resume: '{"n":1}' },
      { kind: 'call-merged', fromLinkedid: 'a', intoLinkedid: 'b' },
      { kind: 'call', call: callRecord('b', { mes: null }) },
      { kind: 'segment', segment: segmentRecord('c-1', 1) },
    ],
    intervals: [intervalRecord('c-1', 1), intervalRecord('c-1', 2, { rttMs: null, mes: 0, jitterTicks: -0.5 })],
  });
  const handedOver = [packed.values.buffer, packed.types.buffer];
  const rows = [...unpackBatch(structuredClone(packed, { transfer: handedOver }))];
  expect(packed.values).toHaveLength(0);
  expect(rows.map(({ kind }) => kind)).toEqual(['channel', 'call-merged', 'call', 'segment', 'interval', 'interval']);
  const [ofChannel, ofMerge, ofCall, ofSegment, ...ofIntervals] = rows.map(({ cells }) => cells);
  const width = CHANNEL_COLUMNS.names.length;
  const named = (names: readonly string[], cells: readonly unknown[] = []): object =>
    Object.fromEntries(names.map((name, place) => [name, cells[place]]));
  expect(named(CHANNEL_COLUMNS.names, ofChannel)).toEqual(CHANNEL_COLUMNS.toRow(channel));
  expect(ofChannel?.[width]).toBe('{"n":1}');
  const streamCells = ofChannel?.slice(width + 1) ?? [];
  const streamWidth = STREAM_COLUMNS.names.length;
  expect(streamCells).toHaveLength(2 * streamWidth);
  for (const [n, stream] of streams.entries()) {
    const own = streamCells.slice(n * streamWidth, (n + 1) * streamWidth);
    expect(named(STREAM_COLUMNS.names, own)).toEqual(STREAM_COLUMNS.toRow(stream));
  }
  expect(ofMerge).toEqual(['a', 'b']);
  expect(named(CALL_COLUMNS.names, ofCall)).toMatchObject({ linkedid: 'b', mes: null, mes_min: 3.5 });
  expect(ofSegment?.[0]).toBe('c-1');
  expect(ofIntervals.map((cells) => named(INTERVAL_COLUMNS.names, cells))).toMatchObject([
    { uniqueid: 'c-1', report_number: 1, rtt_ms: 100.5, sent_ntp_s: 1_795_168_801.25 },
    { uniqueid: 'c-1', report_number: 2, rtt_ms: null, mes: 0, jitter_ticks: -0.5 },
  ]);
});

it('holds more than it made room for at first, and each of few texts once', () => {
  const intervals = Array.from({ length: 5000 }, (_, n) => intervalRecord(`c-${n % 7}`, n));
  const packed = packBatch({ operations: [], intervals });
  expect(packed.texts.length).toBeLessThan(20);
  const numbers = [...unpackBatch(packed)].map(({ cells }) => cells[INTERVAL_COLUMNS.names.indexOf('report_number')]);
  expect(numbers).toEqual(intervals.map(({ reportNumber }) => reportNumber));
});

it('has nothing of a broken record, and all of the others', () => {
  const broken = { ...streamRecord(), rttMs: null as unknown as ReturnType<typeof streamRecord>['rttMs'] };
  const channel = channelRecord('c-1', { streams: [broken] });
  const packed = packBatch({
    operations: [{ kind: 'channel', channel, resume: null }],
    intervals: [intervalRecord('c-1', 1)],
  });
  const rows = [...unpackBatch(packed)];
  expect(rows[0]).toEqual({ kind: 'channel', cells: [] });
  expect(rows[1]?.cells).toHaveLength(INTERVAL_COLUMNS.names.length);
});
