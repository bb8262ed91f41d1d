import { describe, expect, it } from 'vitest';
import { type PendingAction, PendingActions } from '../../../src/asterisk/ami/pending-actions.ts';

function send(pending: PendingActions, dueAtMs = 100): number {
  const number = pending.nextNumber();
  if (number === undefined) throw new Error('no room');
  pending.add({ number, name: 'Ping', timeoutMs: 10, dueAtMs, resolve: () => {}, reject: () => {} });
  return number;
}

const numbers = (actions: readonly PendingAction[]): number[] => actions.map(({ number }) => number);

describe('PendingActions', () => {
  it('finds an action by its number, once', () => {
    const pending = new PendingActions(4);
    expect(pending.isEmpty).toBe(true);
    expect([send(pending), send(pending), send(pending)]).toEqual([1, 2, 3]);
    expect(pending.take(2)?.number).toBe(2);
    expect(pending.take(2)).toBeUndefined();
    expect(pending.isEmpty).toBe(false);
    expect(numbers(pending.takeAll())).toEqual([3, 1]);
    expect(pending.isEmpty).toBe(true);
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60, 5, 9])('knows of no number %d', (number) => {
    const pending = new PendingActions(4);
    send(pending);
    expect(pending.take(number)).toBeUndefined();
    expect(pending.take(1)?.number).toBe(1);
  });

  it('has room for so many, and passes by those that wait for ever', () => {
    const pending = new PendingActions(3);
    send(pending);
    for (let number = 2; number <= 20; number++) {
      const sent = send(pending);
      // 1 keeps its place, and so 4, 7 … are never given.
      expect(sent % 3).not.toBe(1);
      expect(pending.take(sent)?.number).toBe(sent);
    }
    send(pending);
    send(pending);
    expect(pending.nextNumber()).toBeUndefined();
    expect(pending.take(1)?.number).toBe(1);
    expect(send(pending) % 3).toBe(1);
  });

  it('tells which are overdue', () => {
    const pending = new PendingActions(4);
    for (const dueAtMs of [50, 200, 100]) send(pending, dueAtMs);
    expect(numbers(pending.takeOverdue(100))).toEqual([1, 3]);
    expect(numbers(pending.takeOverdue(100))).toEqual([]);
    expect(numbers(pending.takeAll())).toEqual([2]);
  });
});
