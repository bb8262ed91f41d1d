import { expect, it } from 'vitest';
import { packBatch, unpackBatch } from '../../../src/history/packed-batch.ts';
import { CALL_COLUMNS, CHANNEL_COLUMNS, STREAM_COLUMNS } from '../../../src/history/rows.ts';
import { callRecord, captureRecord, channelRecord, segmentRecord, streamRecord } from './records.ts';

it('gives every operation back as the cells of its columns, in their order, through a thread', () => {
  const streams = [streamRecord({ why: 'x'.repeat(100), capture: captureRecord() }), streamRecord({ direction: 'tx' })];
  const channel = channelRecord('c-1', { streams });
  const packed = packBatch({
    operations: [
      { kind: 'channel', channel, resume: '{"n":1}' },
      { kind: 'call-merged', fromLinkedid: 'a', intoLinkedid: 'b' },
      { kind: 'call', call: callRecord('b', { mes: null }) },
      { kind: 'segment', segment: segmentRecord('c-1', 1) },
    ],
    intervals: [],
  });
  const handedOver = [packed.values.buffer, packed.types.buffer];
  const rows = [...unpackBatch(structuredClone(packed, { transfer: handedOver }))];
  expect(packed.values).toHaveLength(0);
  expect(rows.map(({ kind }) => kind)).toEqual(['channel', 'call-merged', 'call', 'segment']);
  const [ofChannel, ofMerge, ofCall, ofSegment] = rows.map(({ cells }) => cells);
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
});

it('holds more than it made room for at first, and each of few texts once', () => {
  const operations = Array.from({ length: 2000 }, (_, n) => ({
    kind: 'call-merged' as const,
    fromLinkedid: `c-${n % 7}`,
    intoLinkedid: `c-${n % 11}`,
  }));
  const packed = packBatch({ operations, intervals: [] });
  expect(packed.texts.length).toBe(11);
  const merges = [...unpackBatch(packed)].map(({ cells }) => cells);
  expect(merges).toEqual(operations.map(({ fromLinkedid, intoLinkedid }) => [fromLinkedid, intoLinkedid]));
});

it('has nothing of a broken record, and all of the others', () => {
  const broken = { ...streamRecord(), rttMs: null as unknown as ReturnType<typeof streamRecord>['rttMs'] };
  const channel = channelRecord('c-1', { streams: [broken] });
  const merge = { kind: 'call-merged', fromLinkedid: 'a', intoLinkedid: 'b' } as const;
  const packed = packBatch({ operations: [{ kind: 'channel', channel, resume: null }, merge], intervals: [] });
  expect([...unpackBatch(packed)]).toEqual([
    { kind: 'channel', cells: [] },
    { kind: 'call-merged', cells: ['a', 'b'] },
  ]);
});
