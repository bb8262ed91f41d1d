import { describe, expect, it } from 'vitest';
import { ChangeQueue } from '../../../src/history/write/change-queue.ts';
import type { HistoryChange, StateChange } from '../../../src/model/record.ts';
import { callRecord, channelRecord, intervalRecord, resumeOf } from './records.ts';

function channelUp(uniqueid: string, resume = ''): StateChange {
  return { kind: 'channel', channel: channelRecord(uniqueid), resume: resumeOf(resume) };
}
function channelEnd(uniqueid: string): StateChange {
  return { kind: 'channel', channel: channelRecord(uniqueid, { endedAtMs: 1 }), resume: null };
}
function interval(reportNumber: number): HistoryChange {
  return { kind: 'interval', interval: intervalRecord('c', reportNumber) };
}
function merge(fromLinkedid: string, intoLinkedid: string): StateChange {
  return { kind: 'call-merged', fromLinkedid, intoLinkedid };
}
function pushAll(queue: ChangeQueue, ...changes: readonly HistoryChange[]): void {
  for (const change of changes) queue.push(change);
}

describe('the queue of changes', () => {
  it('keeps of a channel and of a call the last state only, behind the others', () => {
    const queue = new ChangeQueue(100);
    const firstCall: StateChange = { kind: 'call', call: callRecord('a', { mes: 1 }) };
    const lastCall: StateChange = { kind: 'call', call: callRecord('a', { mes: 2 }) };
    pushAll(queue, firstCall, channelUp('x', '1'), channelUp('y'), channelUp('x', '2'), lastCall);
    expect(queue.size).toBe(3);
    const { states, intervals } = queue.take();
    expect(states).toEqual([channelUp('y'), channelUp('x', '2'), lastCall]);
    expect(intervals).toEqual([]);
    expect(queue.size).toBe(0);
  });

  it('replaces nothing across a merge', () => {
    const queue = new ChangeQueue(100);
    pushAll(queue, channelUp('x', '1'), merge('a', 'b'), channelUp('x', '2'), channelUp('x', '3'));
    const left = [channelUp('x', '1'), merge('a', 'b'), channelUp('x', '3')];
    expect(queue.take().states).toEqual(left);
  });

  it('does not grow while the same few states are replaced over and over', () => {
    const queue = new ChangeQueue(Infinity);
    pushAll(queue, channelUp('first'), merge('a', 'b'));
    for (let n = 1; n <= 20_000; n++) pushAll(queue, channelUp(`c-${n % 3}`, `state ${n} ${'x'.repeat(100)}`));
    expect(queue.size).toBe(5);
    const { states } = queue.take();
    expect(states.slice(0, 2)).toEqual([channelUp('first'), merge('a', 'b')]);
    const last = [19_998, 19_999, 20_000].map((n) => channelUp(`c-${n % 3}`, `state ${n} ${'x'.repeat(100)}`));
    expect(states.slice(2)).toEqual(last);
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
    const { states, intervals } = queue.take();
    const left = [merge('a', 'b'), channelEnd('z'), channelEnd('v'), channelEnd('w')];
    expect(states).toEqual(left);
    expect(intervals).toEqual([]);
  });

  it('takes back what could not be committed, before what came since, within its bound', () => {
    const queue = new ChangeQueue(4);
    pushAll(queue, interval(1), interval(2), channelUp('x', '1'), channelUp('y'));
    const batch = queue.take();
    pushAll(queue, channelUp('x', '2'), interval(3));
    queue.putBack(batch);
    expect([queue.size, queue.dropped]).toEqual([4, 1]);
    const { states, intervals } = queue.take();
    expect(states).toEqual([channelUp('y'), channelUp('x', '2')]);
    expect(intervals.map(({ reportNumber }) => reportNumber)).toEqual([2, 3]);
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
    expect(intervals.map(({ reportNumber }) => reportNumber)).toEqual(
      Array.from({ length: 1000 }, (_, index) => pushed - 999 + index),
    );
    expect(queue.size).toBe(0);
  });

  it('stays within its bound over many thousand changes', () => {
    const queue = new ChangeQueue(1000);
    for (let n = 1; n <= 20_000; n++) {
      queue.push(interval(n));
      queue.push(n % 3 === 0 ? channelEnd(`e${n}`) : channelUp(`u${n}`));
      expect(queue.size <= 1000).toBe(true);
    }
    const { states, intervals } = queue.take();
    expect(states.length + intervals.length + queue.dropped).toBe(40_000);
    const endings = states.filter((state) => state.kind === 'channel' && state.channel.endedAtMs !== null);
    expect(endings.length).toBeGreaterThan(900);
  });
});
