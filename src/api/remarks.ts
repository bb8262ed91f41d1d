import { z } from 'zod';
import {
  type CallRemarks,
  LONGEST_AUTHOR,
  LONGEST_NOTE,
  MOST_NOTES,
  MOST_TAGS,
  type Note,
  type Tag,
  TAG_PATTERN,
  TAG_WORDS,
  type TagCount,
} from '../model/people/remark.ts';
import { LIST_QUERY, NO_QUERY } from './parameters.ts';
import { Problem } from './problem.ts';
import { type Route, route } from './route.ts';

const TIME = z.iso.datetime({ precision: 3 });
const AUTHOR_WORDS = 'who wrote it, as they named themselves; null: they did not';

export const NOTE = z.strictObject({
  id: z.string().describe('by which it is deleted'),
  text: z.string().describe('what was written, numbers hidden as those of the call'),
  author: z.string().nullable().describe(AUTHOR_WORDS),
  at: TIME.describe('when it was written'),
});
export const TAG = z.strictObject({
  tag: z.string().describe('the word that calls are found by'),
  author: z.string().nullable().describe(AUTHOR_WORDS),
  at: TIME.describe('when it was set'),
});
const TAGGED_ANSWER = z.strictObject({ tags: z.array(TAG) });
export const TAGS_ANSWER = z.strictObject({
  tags: z
    .array(z.strictObject({ tag: z.string(), calls: z.int().nonnegative().describe('calls that have it') }))
    .describe('the tag of most calls first'),
});
const DELETED_ANSWER = z.strictObject({ deleted: z.literal(true) });

const author = z
  .string()
  .trim()
  .regex(/^\P{Cc}*$/u, 'has a control character; leave it out')
  .max(LONGEST_AUTHOR)
  .optional()
  .describe('who writes it');
const NOTE_BODY = z.strictObject({
  text: z
    .string()
    .trim()
    .min(1)
    .max(LONGEST_NOTE)
    .regex(/^(?:\P{Cc}|[\n\t])*$/u, 'has a control character; leave it out'),
  author,
});
const tags = z.array(z.string().trim().regex(TAG_PATTERN, `is not allowed; give ${TAG_WORDS}`)).max(MOST_TAGS);
const TAGS_BODY = z
  .strictObject({ add: tags.optional(), remove: tags.optional(), author })
  .refine(({ add = [], remove = [] }) => add.length + remove.length > 0, 'names no tag; give add, remove or both');

/** What REST needs of notes and tags. */
export interface RemarkService {
  /** Writes a note. `too-many`: the call has its greatest number of notes. */
  note(linkedid: string, text: string, author: string | null): Promise<Note | 'no-such-call' | 'too-many'>;
  /** Deletes a note; false: there is none. */
  deleteNote(id: string): Promise<boolean>;
  /** Changes tags. Resolves with all tags of the call. */
  tag(
    linkedid: string,
    change: { readonly add: readonly string[]; readonly remove: readonly string[]; readonly author: string | null },
  ): Promise<readonly Tag[] | 'no-such-call' | 'too-many'>;
  tags(): Promise<readonly TagCount[]>;
}

/** What lists and calls need of notes and tags. */
export interface RemarksReader {
  ofCall(linkedid: string): Promise<CallRemarks>;
  tagsOf(linkedids: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;
}

function presentNote({ id, text, author: by, atMs }: Note): z.output<typeof NOTE> {
  return { id, text, author: by, at: new Date(atMs).toISOString() };
}

function presentTag({ tag, author: by, atMs }: Tag): z.output<typeof TAG> {
  return { tag, author: by, at: new Date(atMs).toISOString() };
}

/** The notes and tags of one call: `tags` as in lists, `tagged` with author and time. */
export function presentRemarks({ notes, tags: tagged }: CallRemarks): {
  notes: z.output<typeof NOTE>[];
  tags: string[];
  tagged: z.output<typeof TAG>[];
} {
  return { notes: notes.map(presentNote), tags: tagged.map(({ tag }) => tag), tagged: tagged.map(presentTag) };
}

const NO_SUCH_CALL = 'no call of this id is known; it may be older than the history is kept';

/** The routes of notes and tags. */
export function remarkRoutes(service: RemarkService): readonly Route[] {
  return [
    route({
      method: 'POST',
      path: '/v1/calls/:linkedid/notes',
      summary: `Writes a note about a call; one has at most ${MOST_NOTES}.`,
      access: 'token',
      query: NO_QUERY,
      body: NOTE_BODY,
      answer: NOTE,
      status: 201,
      handle: async ({ id: linkedid, body: { text, author: by } }) => {
        const note = await service.note(linkedid, text, by || null);
        if (note === 'no-such-call') throw new Problem('MES_ERR_NO_SUCH_ID', NO_SUCH_CALL);
        if (note !== 'too-many') return presentNote(note);
        throw new Problem('MES_ERR_BODY', `the call has ${MOST_NOTES} notes already; delete one of them first`);
      },
    }),
    route({
      method: 'DELETE',
      path: '/v1/notes/:id',
      summary: 'Deletes a note.',
      access: 'token',
      query: NO_QUERY,
      answer: DELETED_ANSWER,
      handle: async ({ id }) => {
        if (await service.deleteNote(id)) return { deleted: true as const };
        throw new Problem('MES_ERR_NO_SUCH_ID', 'no note of this id is known; it may be deleted already');
      },
    }),
    route({
      method: 'POST',
      path: '/v1/calls/:linkedid/tags',
      summary: `Sets tags on a call, takes others off, and gives all that it has then; one has at most ${MOST_TAGS}.`,
      access: 'token',
      query: NO_QUERY,
      body: TAGS_BODY,
      answer: TAGGED_ANSWER,
      handle: async ({ id: linkedid, body: { add = [], remove = [], author: by } }) => {
        const found = await service.tag(linkedid, { add, remove, author: by || null });
        if (found === 'no-such-call') throw new Problem('MES_ERR_NO_SUCH_ID', NO_SUCH_CALL);
        if (found !== 'too-many') return { tags: found.map(presentTag) };
        throw new Problem('MES_ERR_BODY', `the call would have more than ${MOST_TAGS} tags; take some off`);
      },
    }),
    route({
      path: '/v1/tags',
      summary: 'The tags that calls have, that of most calls first.',
      query: LIST_QUERY,
      answer: TAGS_ANSWER,
      handle: async ({ query: { limit } }) => ({ tags: (await service.tags()).slice(0, limit) }),
    }),
  ];
}
