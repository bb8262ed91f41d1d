import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type History, openHistory } from '../../../src/history/history.ts';
import { callRecord, channelRecord, START_MS } from './records.ts';

const DAY_MS = 86_400_000;
let folder = '';
let history: History;
let nowMs = START_MS;

async function open(): Promise<void> {
  const clock = { nowMs: () => nowMs };
  const path = join(folder, 'mes.sqlite');
  history = await openHistory({ path, keepIntervalsMs: DAY_MS, keepCallsMs: DAY_MS, clock });
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mes-remarks-'));
  nowMs = START_MS;
  await open();
});
afterEach(async () => {
  await history.close();
  rmSync(folder, { recursive: true });
});

function call(linkedid: string, startedAtMs: number, endedAtMs: number | null = startedAtMs + 60_000): void {
  const part = { linkedid, startedAtMs, endedAtMs };
  history.record({ kind: 'channel', channel: channelRecord(linkedid, part), resume: null });
  history.record({ kind: 'call', call: callRecord(linkedid, { startedAtMs, endedAtMs }) });
}

function tag(linkedid: string, startedAtMs: number, add: readonly string[], remove: readonly string[] = []) {
  const change = { linkedid, startedAtMs, add, remove, author: 'Ada', atMs: START_MS + 9000 };
  return history.features.write('remarks', 'tag', change);
}

const note = (id: string, linkedid: string) =>
  history.features.write('remarks', 'note', { id, linkedid, text: 'line 1\nline 2', author: null, atMs: START_MS + 1 });

/** A question is answered behind what was recorded before it; the longest wait is one commit. */
async function found(tags: readonly string[]): Promise<string[]> {
  const { calls } = await history.calls({ tags }, 10, null);
  return calls.map(({ linkedid }) => linkedid);
}

test('notes and tags come back with who and when, and a tag that is there keeps who set it', async () => {
  expect(await note('n.1', '1.1')).toBe(true);
  expect(await tag('1.1', START_MS, ['carrier', 'billing'])).toBe(true);
  const later = { linkedid: '1.1', startedAtMs: START_MS, remove: ['billing'], author: 'Bob', atMs: START_MS + 99_000 };
  expect(await history.features.write('remarks', 'tag', { ...later, add: ['carrier', 'seen'] })).toBe(true);
  expect(await history.features.read('remarks', 'ofCall', '1.1')).toEqual({
    notes: [{ id: 'n.1', linkedid: '1.1', text: 'line 1\nline 2', author: null, atMs: START_MS + 1 }],
    tags: [
      { linkedid: '1.1', tag: 'carrier', author: 'Ada', atMs: START_MS + 9000 },
      { linkedid: '1.1', tag: 'seen', author: 'Bob', atMs: START_MS + 99_000 },
    ],
  });
  expect(await history.features.read('remarks', 'ofCall', '1.2')).toEqual({ notes: [], tags: [] });
  expect(await history.features.write('remarks', 'deleteNote', 'n.1')).toBe(true);
  expect(await history.features.write('remarks', 'deleteNote', 'n.1')).toBe(false);
  expect((await history.features.read('remarks', 'ofCall', '1.1')).notes).toEqual([]);
});

test('calls are found by any of the tags, newest first, counted by now or not, and each once', async () => {
  call('1.1', START_MS);
  call('1.2', START_MS + 1000, null);
  call('1.3', START_MS + 2000);
  call('1.4', START_MS + 3000);
  await tag('1.1', START_MS, ['a', 'b']);
  await tag('1.2', START_MS + 1000, ['a']);
  await tag('1.3', START_MS + 2000, ['b']);
  // Whether calls are counted by now or not, the answer is the same.
  expect(await found(['a'])).toEqual(['1.2', '1.1']);
  await history.close();
  await open();
  expect(await found(['a'])).toEqual(['1.2', '1.1']);
  expect(await found(['b', 'a'])).toEqual(['1.3', '1.2', '1.1']);
  expect(await found(['c'])).toEqual([]);
  const first = await history.calls({ tags: ['a', 'b'] }, 2, null);
  expect(first.calls.map(({ linkedid }) => linkedid)).toEqual(['1.3', '1.2']);
  const rest = await history.calls({ tags: ['a', 'b'] }, 2, first.next);
  expect(rest.calls.map(({ linkedid }) => linkedid)).toEqual(['1.1']);
  const counted = await history.calls({ tags: ['a', 'b'], verdicts: ['good'] }, 1, null, { isCounted: true });
  expect(counted.matching).toBe(3);
  await tag('1.1', START_MS, [], ['a']);
  expect(await found(['a'])).toEqual(['1.2']);
  expect(await history.features.read('remarks', 'tags', undefined)).toEqual([
    { tag: 'b', calls: 2 },
    { tag: 'a', calls: 1 },
  ]);
});

test('a joined call has what was written about both, and is found in its new place', async () => {
  call('1.1', START_MS);
  call('1.5', START_MS + 5000);
  await note('n.1', '1.1');
  await note('n.5', '1.5');
  await tag('1.1', START_MS, ['both']);
  await tag('1.5', START_MS + 5000, ['both', 'second']);
  history.record({ kind: 'call-merged', fromLinkedid: '1.5', intoLinkedid: '1.1' });
  call('1.1', START_MS - 4000);
  await expect
    .poll(async () => (await history.features.read('remarks', 'ofCall', '1.1')).notes.map(({ id }) => id), {
      timeout: 10_000,
    })
    .toEqual(['n.1', 'n.5']);
  expect((await history.features.read('remarks', 'ofCall', '1.1')).tags.map(({ tag: one }) => one)).toEqual([
    'both',
    'second',
  ]);
  await expect.poll(() => found(['second']), { timeout: 10_000 }).toEqual(['1.1']);
  // It is listed by its new start: nothing of it is before that moment, and nothing is left at the old one.
  const { calls } = await history.calls({ tags: ['second'], toMs: START_MS - 3999 }, 10, null);
  expect(calls).toHaveLength(1);
  const after = await history.calls({ tags: ['second'], fromMs: START_MS - 3999 }, 10, null);
  expect(after.calls).toHaveLength(0);
});

test('a call takes a hundred notes and twenty tags, and neither more nor half of a change', async () => {
  for (let n = 0; n < 100; n++) expect(await note(`n.${n}`, '1.1')).toBe(true);
  expect(await note('one-more', '1.1')).toBe(false);
  expect(await note('n.other', '1.2')).toBe(true);
  const twenty = Array.from({ length: 20 }, (_, n) => `t${n}`);
  expect(await tag('1.1', START_MS, twenty)).toBe(true);
  expect(await tag('1.1', START_MS, ['t3'])).toBe(true);
  expect(await tag('1.1', START_MS, ['new', 'newer'], ['t0'])).toBe(false);
  const { notes, tags } = await history.features.read('remarks', 'ofCall', '1.1');
  expect([notes.length, tags.map(({ tag: one }) => one).toSorted()]).toEqual([100, twenty.toSorted()]);
  expect(await tag('1.1', START_MS, ['new'], ['t0'])).toBe(true);
});

test('what was written about a call goes when the call does, and not before', async () => {
  call('1.1', START_MS);
  call('1.9', START_MS + DAY_MS);
  for (const id of ['1.1', '1.9']) {
    await note(`n.${id}`, id);
    await tag(id, START_MS, ['kept']);
  }
  nowMs = START_MS + DAY_MS + 3_600_000;
  const left = async () => {
    const both = await Promise.all(['1.1', '1.9'].map((id) => history.features.read('remarks', 'ofCall', id)));
    return both.map(({ notes, tags }) => notes.length + tags.length);
  };
  expect(await left()).toEqual([2, 2]);
  // What is too old goes after the next start.
  await history.close();
  await open();
  await expect.poll(left, { timeout: 10_000 }).toEqual([0, 2]);
});
