import { expect, it } from 'vitest';
import { OperationPacker } from '../../../src/history/write/operation-packer.ts';
import type { Operation } from '../../../src/history/write/packed-operations.ts';
import type { SampleSummary } from '../../../src/model/record.ts';
import {
  callRecord,
  captureRecord,
  cellsOf,
  channelRecord,
  type OperationCells,
  segmentRecord,
  START_MS,
  streamRecord,
  unpackOperations,
} from './records.ts';

const SUMMARY: SampleSummary = { last: 20.5, mean: 19.25, min: 1, max: 40, stdev: 2.5, count: 9 };

function unpacked(...operations: readonly Operation[]): OperationCells[] {
  const packer = new OperationPacker();
  const pieces = operations.flatMap((operation) => {
    packer.add(operation);
    return packer.isFull ? [packer.take()] : [];
  });
  return unpackOperations(structuredClone([...pieces, packer.take()]));
}

/** For each property another record, in which only that has another value. */
function variationsOf<Part extends object>(record: Part): Part[] {
  return Object.entries(record).flatMap(([property, value]): Part[] => {
    const others = (): unknown[] => {
      if (typeof value === 'number') return [value + 1];
      if (typeof value === 'boolean') return [!value];
      if (typeof value === 'string') return ['another'];
      return 'count' in value ? variationsOf(value as SampleSummary) : [null];
    };
    return others().map((other) => ({ ...record, [property]: other }));
  });
}

it('gives of an operation the cells of its columns, whichever of its values it is that differs', () => {
  const measured = { rttMs: SUMMARY, jitterMs: SUMMARY };
  const stream = streamRecord({
    ...measured,
    mosCqInterval: 4,
    nativeWhy: 'clock',
    unknownSinceMs: START_MS + 5000,
    capture: captureRecord(),
  });
  const segment = segmentRecord('c-1', 1, measured);
  const { streams: _streams, ...own } = channelRecord('c-1', {
    connectedName: 'Bob',
    endedAtMs: START_MS + 9000,
    endReason: 'hangup',
    hangupCause: 16,
    hangupCauseText: 'Normal Clearing',
    peerUniqueid: 'c-2',
    mesTx: 4.1,
    mesPeerRx: 4.3,
    finalAtMs: START_MS + 9001,
  });
  const call = callRecord('c-1', { endedAtMs: START_MS + 9002 });
  const asChannel = (part: object, resume: string | null = null): Operation => ({
    kind: 'channel',
    channel: { ...own, streams: [stream, stream], ...part },
    resume,
  });
  const operations: Operation[] = [
    ...[segment, ...variationsOf(segment)].map((one) => ({ kind: 'segment' as const, segment: one })),
    ...[own, ...variationsOf(own)].map((one) => asChannel(one)),
    ...variationsOf(stream).flatMap((one) => [asChannel({ streams: [one, stream] }), asChannel({ streams: [one] })]),
    asChannel({ streams: [] }, '{"n":1}'),
    ...[call, ...variationsOf(call)].map((one) => ({ kind: 'call' as const, call: one })),
    { kind: 'call-merged', fromLinkedid: 'a', intoLinkedid: 'b' },
  ];
  const expected = operations.map(cellsOf);
  expect(new Set(expected.map((one) => JSON.stringify(one))).size).toBe(operations.length);
  expect(unpacked(...operations)).toEqual(expected);
});

it('tells what is not known from nothing, and keeps every digit and every text', () => {
  const none = { last: null, mean: null, min: null, max: null, stdev: null, count: 0 };
  const exact = streamRecord({
    rttMs: none,
    ssrc: 0xffff_ffff,
    mes: 0.1 + 0.2,
    packetsLost: -3,
    lossPercent: 0,
    codec: '',
    why: `„${'ü'.repeat(100)}“`,
    mosLq: null,
  });
  const channel = channelRecord('c-1', {
    startedAtMs: START_MS + 0.4,
    answeredAtMs: null,
    callerName: '☎',
    streams: [exact],
  });
  const operation: Operation = { kind: 'channel', channel, resume: null };
  const [only, ...others] = unpacked(operation);
  expect(others).toEqual([]);
  expect(only).toEqual(cellsOf(operation));
  expect(only?.cells).toEqual(expect.arrayContaining([START_MS, 0.300_000_000_000_000_04, '', '☎', exact.why]));
  // Of the channel ten and its resume state; of the stream both summaries' five, and five more.
  expect(only?.cells.filter((cell) => cell === null)).toHaveLength(26);
});

it('is full before an operation has no room, begins anew once taken, and has each of few texts once', () => {
  const packer = new OperationPacker();
  const operations: Operation[] = [];
  while (!packer.isFull) {
    const n = operations.length;
    operations.push({ kind: 'call-merged', fromLinkedid: `c-${n % 7}`, intoLinkedid: `c-${n % 11}` });
    for (const operation of operations.slice(-1)) packer.add(operation);
  }
  expect(operations.length).toBeGreaterThan(1000);
  const piece = packer.take();
  expect(packer.isFull).toBe(false);
  packer.add({ kind: 'call', call: callRecord('later') });
  expect(piece.count).toBe(operations.length);
  expect(piece.texts).toHaveLength(11);
  expect(unpackOperations([piece])).toEqual(operations.map(cellsOf));
  expect(unpackOperations([packer.take()])).toMatchObject([{ kind: 'call' }]);
});

it('has nothing of a broken record, and all of the others', () => {
  const broken = { ...streamRecord(), rttMs: null as unknown as SampleSummary };
  const merge = { kind: 'call-merged', fromLinkedid: 'a', intoLinkedid: 'b' } as const;
  const channels = [[broken], [streamRecord(), streamRecord(), streamRecord()]].map((streams): Operation => ({
    kind: 'channel',
    channel: channelRecord('c-1', { streams }),
    resume: null,
  }));
  expect(unpacked(...channels, merge)).toEqual([
    { kind: 'channel', cells: [] },
    { kind: 'channel', cells: [] },
    { kind: 'call-merged', cells: ['a', 'b'] },
  ]);
});
