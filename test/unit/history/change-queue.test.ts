import { describe, expect, it } from 'vitest';
import { ChangeQueue } from '../../../src/history/write/change-queue.ts';
import type { Operation } from '../../../src/history/write/packed-operations.ts';
import type { HistoryChange } from '../../../src/model/record.ts';
import { callRecord, cellsOf, channelRecord, intervalRecord, reportNumbers, unpackOperations } from './records.ts';

function channelUp(uniqueid: string, resume = ''): Operation {
  return { kind: 'channel', channel: channelRecord(uniqueid), resume };
}
function channelEnd(uniqueid: string): Operation {
  return { kind: 'channel', channel: channelRecord(uniqueid, { endedAtMs: 1 }), resume: null };
}
function interval(reportNumber: number): HistoryChange {
  return { kind: 'interval', interval: intervalRecord('c', reportNumber) };
}
function merge(fromLinkedid: string, intoLinkedid: string): Operation {
  return { kind: 'call-merged', fromLinkedid, intoLinkedid };
}
function pushAll(queue: ChangeQueue, ...changes: readonly HistoryChange[]): void {
  for (const change of changes) queue.push(change);
}

describe('the queue of changes', () => {
  it('keeps of a channel and of a call the last state only, behind the others', () => {
    const queue = new ChangeQueue(100);
    const firstCall: Operation = { kind: 'call', call: callRecord('a', { mes: 1 }) };
    const lastCall: Operation = { kind: 'call', call: callRecord('a', { mes: 2 }) };
    pushAll(queue, firstCall, channelUp('x', '1'), channelUp('y'), channelUp('x', '2'), lastCall);
    expect(queue.size).toBe(3);
    const { operations, intervals } = queue.take();
    expect(unpackOperations(operations)).toEqual([channelUp('y'), channelUp('x', '2'), lastCall].map(cellsOf));
    expect(intervals).toEqual([]);
    expect(queue.size).toBe(0);
  });

  it('replaces nothing across a merge', () => {
    const queue = new ChangeQueue(100);
    pushAll(queue, channelUp('x', '1'), merge('a', 'b'), channelUp('x', '2'), channelUp('x', '3'));
    const left = [channelUp('x', '1'), merge('a', 'b'), channelUp('x', '3')];
    expect(unpackOperations(queue.take().operations)).toEqual(left.map(cellsOf));
  });

  it('does not grow while the same few states are replaced over and over', () => {
    const queue = new ChangeQueue(Infinity);
    pushAll(queue, channelUp('first'), merge('a', 'b'));
    for (let n = 1; n <= 20_000; n++) pushAll(queue, channelUp(`c-${n % 3}`, `state ${n} ${'x'.repeat(100)}`));
    expect(queue.size).toBe(5);
    const { operations } = queue.take();
    const [first, merged, ...states] = unpackOperations(operations);
    expect([first, merged]).toEqual([channelUp('first'), merge('a', 'b')].map(cellsOf));
    const last = [19_998, 19_999, 20_000].map((n) => channelUp(`c-${n % 3}`, `state ${n} ${'x'.repeat(100)}`));
    expect(states).toEqual(last.map(cellsOf));
    // A few hundred rows, most of them gone.
    expect(operations.flatMap(({ texts }) => texts).length).toBeLessThan(2000);
  });

  it('drops the oldest intervals first, then channels that are up, then the oldest endings', () => {
    const queue = new ChangeQueue(4);
    for (let n = 1; n <= 5; n++) queue.push(interval(n));
    expect([queue.size, queue.dropped]).toEqual([4, 1]);
    pushAll(queue, channelEnd('x'), merge('a', 'b'), channelUp('y'));
    expect([queue.size, queue.dropped]).toEqual([4, 4]);
    queue.push(channelEnd('z'));
    queue.push(channelEnd('v'));
    expect([queue.size, queue.dropped]).toEqual([4, 6]);
    queue.push(channelEnd('w'));
    expect([queue.size, queue.dropped]).toEqual([4, 7]);
    const { operations, intervals } = queue.take();
    const left = [merge('a', 'b'), channelEnd('z'), channelEnd('v'), channelEnd('w')];
    expect(unpackOperations(operations)).toEqual(left.map(cellsOf));
    expect(intervals).toEqual([]);
  });

  it('takes back what could not be committed, before what came since, within its bound', () => {
    const queue = new ChangeQueue(4);
    pushAll(queue, interval(1), interval(2), channelUp('x', '1'), channelUp('y'));
    const batch = queue.take();
    pushAll(queue, channelUp('x', '2'), interval(3));
    queue.putBack(batch);
    expect([queue.size, queue.dropped]).toEqual([4, 1]);
    const { operations, intervals } = queue.take();
    expect(unpackOperations(operations)).toEqual([channelUp('y'), channelUp('x', '2')].map(cellsOf));
    expect(reportNumbers(intervals)).toEqual([2, 3]);
  });

  it('drops the oldest intervals across pieces that were put back, and keeps the others in their order', () => {
    const queue = new ChangeQueue(1000);
    let [pushed, takenBack] = [0, 0];
    // Pieces of every size, longer and shorter than those that the queue makes itself.
    for (const size of [3, 600, 1, 249, 251, 400, 7, 1200, 30]) {
      for (let n = 0; n < size; n++) queue.push(interval(++pushed));
      if (size % 2 === 0) continue;
      queue.putBack(queue.take());
      takenBack++;
    }
    expect(takenBack).toBe(5);
    expect([queue.size, queue.dropped]).toEqual([1000, pushed - 1000]);
    const { intervals } = queue.take();
    expect(reportNumbers(intervals)).toEqual(Array.from({ length: 1000 }, (_, index) => pushed - 999 + index));
    expect(queue.size).toBe(0);
  });

  it('stays within its bound over many thousand changes', () => {
    const queue = new ChangeQueue(1000);
    for (let n = 1; n <= 20_000; n++) {
      queue.push(interval(n));
      queue.push(n % 3 === 0 ? channelEnd(`e${n}`) : channelUp(`u${n}`));
      expect(queue.size <= 1000).toBe(true);
    }
    const { operations, intervals } = queue.take();
    const rows = unpackOperations(operations);
    expect(rows.length + reportNumbers(intervals).length + queue.dropped).toBe(40_000);
    const { cells: ended } = cellsOf(channelEnd('e3'));
    const endings = rows.filter(({ cells }) => cells[12] === ended[12]);
    expect(ended[12]).toBe(1);
    expect(endings.length).toBeGreaterThan(900);
  });
});
