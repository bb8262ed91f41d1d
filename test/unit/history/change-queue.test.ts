import { describe, expect, it } from 'vitest';
import { ChangeQueue } from '../../../src/history/change-queue.ts';
import type { HistoryChange } from '../../../src/model/record.ts';
import { callRecord, channelRecord, intervalRecord, reportNumbers } from './records.ts';

function channelUp(uniqueid: string, resume = ''): HistoryChange {
  return { kind: 'channel', channel: channelRecord(uniqueid), resume };
}
function channelEnd(uniqueid: string): HistoryChange {
  return { kind: 'channel', channel: channelRecord(uniqueid, { endedAtMs: 1 }), resume: null };
}
function interval(reportNumber: number): HistoryChange {
  return { kind: 'interval', interval: intervalRecord('c', reportNumber) };
}
function merge(fromLinkedid: string, intoLinkedid: string): HistoryChange {
  return { kind: 'call-merged', fromLinkedid, intoLinkedid };
}

describe('the queue of changes', () => {
  it('keeps of a channel and of a call the last state only, where the first one stood', () => {
    const queue = new ChangeQueue(100);
    const firstCall: HistoryChange = { kind: 'call', call: callRecord('a', { mes: 1 }) };
    const lastCall: HistoryChange = { kind: 'call', call: callRecord('a', { mes: 2 }) };
    for (const change of [firstCall, channelUp('x', '1'), channelUp('y'), channelUp('x', '2'), lastCall]) {
      queue.push(change);
    }
    expect(queue.size).toBe(3);
    expect(queue.take()).toEqual({ operations: [lastCall, channelUp('x', '2'), channelUp('y')], intervals: [] });
    expect(queue.size).toBe(0);
  });

  it('moves nothing across a merge', () => {
    const queue = new ChangeQueue(100);
    const changes = [channelUp('x', '1'), merge('a', 'b'), channelUp('x', '2'), channelUp('x', '3')];
    for (const change of changes) queue.push(change);
    expect(queue.take().operations).toEqual([channelUp('x', '1'), merge('a', 'b'), channelUp('x', '3')]);
  });

  it('drops the oldest intervals first, then channels that are up, then the oldest endings', () => {
    const queue = new ChangeQueue(4);
    for (let n = 1; n <= 5; n++) queue.push(interval(n));
    expect([queue.size, queue.dropped]).toEqual([4, 1]);
    for (const change of [channelEnd('x'), merge('a', 'b'), channelUp('y')]) queue.push(change);
    expect([queue.size, queue.dropped]).toEqual([4, 4]);
    queue.push(channelEnd('z'));
    queue.push(channelEnd('v'));
    expect([queue.size, queue.dropped]).toEqual([4, 6]);
    queue.push(channelEnd('w'));
    expect([queue.size, queue.dropped]).toEqual([4, 7]);
    expect(queue.take()).toEqual({
      operations: [merge('a', 'b'), channelEnd('z'), channelEnd('v'), channelEnd('w')],
      intervals: [],
    });
  });

  it('takes back what could not be committed, before what came since, within its bound', () => {
    const queue = new ChangeQueue(4);
    for (const change of [interval(1), interval(2), channelUp('x', '1'), channelUp('y')]) queue.push(change);
    const batch = queue.take();
    for (const change of [channelUp('x', '2'), interval(3)]) queue.push(change);
    queue.putBack(batch);
    expect([queue.size, queue.dropped]).toEqual([4, 1]);
    const { operations, intervals } = queue.take();
    expect(operations).toEqual([channelUp('x', '2'), channelUp('y')]);
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
    expect(operations.length + reportNumbers(intervals).length + queue.dropped).toBe(40_000);
    const endings = operations.filter((operation) => operation.kind === 'channel' && operation.resume === null);
    expect(endings.length).toBeGreaterThan(900);
  });
});
