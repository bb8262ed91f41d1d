import { randomUUID } from 'node:crypto';
import { remarkRoutes } from '../../api/remarks.ts';
import type { Companion, CompanionContext } from './companion.ts';
import { textHider } from '../numbers/hidden-text.ts';

/** Notes and tags of calls. Numbers in them are hidden as in the calls. */
export function remarksCompanion({ settings, clock, history, calls }: CompanionContext): Companion {
  const { features } = history;
  const hide = textHider(settings.history);
  const hidden = (author: string | null): string | null => (author === null ? null : hide.text(author));
  return {
    routes: remarkRoutes({
      note: async (asked, text, author) => {
        const call = await calls.call(asked);
        if (call === null) return 'no-such-call';
        const { linkedid } = call;
        const by = hidden(author);
        const note = { id: randomUUID(), linkedid, text: hide.text(text), author: by, atMs: clock.nowMs() };
        return (await features.write('remarks', 'note', note)) ? note : 'too-many';
      },
      deleteNote: (id) => features.write('remarks', 'deleteNote', id),
      tag: async (asked, { add, remove, author }) => {
        const call = await calls.call(asked);
        if (call === null) return 'no-such-call';
        const { linkedid, startedAtMs } = call;
        const stored = (tags: readonly string[]): string[] => tags.map(hide.text);
        const change = { linkedid, startedAtMs, author: hidden(author), atMs: clock.nowMs() };
        const isDone = await features.write('remarks', 'tag', { ...change, add: stored(add), remove: stored(remove) });
        return isDone ? (await features.read('remarks', 'ofCall', linkedid)).tags : 'too-many';
      },
      tags: () => features.read('remarks', 'tags', undefined),
    }),
  };
}
