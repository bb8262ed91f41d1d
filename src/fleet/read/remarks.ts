import type { CallRemarks, Note, Tag, TagCount } from '../../model/people/remark.ts';
import type { FleetStore } from '../store.ts';
import { Question, type Shards } from './question.ts';
import type { Scope } from './scope.ts';
import { quote } from './sql.ts';

const ALWAYS = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };
/** Bound on the listed tags; those of the most calls come first. */
const MOST_LISTED = 500;

interface RemarksRow {
  readonly pbx: string;
  readonly linkedid: string;
  readonly notes: string | null;
  readonly tags: string | null;
}

/** Notes and tags of calls, as their PBXs have them. */
export class FleetRemarks {
  readonly #question: Question;

  constructor(store: Pick<FleetStore, 'ask'>, database: string, scope: Scope) {
    this.#question = new Question(store, database, scope);
  }

  /** The shards that answered; null: nothing was asked. */
  get shards(): Shards | null {
    return this.#question.shards;
  }

  /** Notes and tags of these calls, by `pbx linkedid`. Calls without any are left out. */
  async ofCalls(
    calls: readonly { readonly pbx: string; readonly linkedid: string }[],
  ): Promise<ReadonlyMap<string, CallRemarks>> {
    if (calls.length === 0) return new Map();
    const keys = calls.map(({ pbx, linkedid }) => `(${quote(pbx)}, ${quote(linkedid)})`);
    const cells = 'pbx, linkedid, notes, tags';
    const rows = await this.#question.ask<RemarksRow>(
      `SELECT * FROM ${this.#question.newest('remarks', cells, ALWAYS, `(pbx, linkedid) IN (${keys.join(', ')})`)}`,
    );
    return new Map(
      rows.map(({ pbx, linkedid, notes, tags }) => [
        `${pbx} ${linkedid}`,
        { notes: listIn<Note>(notes, isNote), tags: listIn<Tag>(tags, isTag) },
      ]),
    );
  }

  /** All tags, those of the most calls first. */
  async tags(): Promise<TagCount[]> {
    const rows = await this.#question.ask<{ readonly tag: string; readonly n: number }>(
      `SELECT tag, toInt64(count()) AS n FROM ${this.#question.newest('remarks', 'pbx, linkedid, tag_words', ALWAYS)}
        ARRAY JOIN splitByChar(' ', ifNull(tag_words, '')) AS tag WHERE tag != '' GROUP BY tag ORDER BY n DESC, tag LIMIT ${MOST_LISTED}`,
    );
    const counts = new Map<string, number>();
    // Each shard has some of the PBXs.
    for (const { tag, n } of rows) counts.set(tag, (counts.get(tag) ?? 0) + n);
    return [...counts]
      .map(([tag, calls]) => ({ tag, calls }))
      .toSorted((one, other) => other.calls - one.calls || (one.tag < other.tag ? -1 : 1))
      .slice(0, MOST_LISTED);
  }
}

/** One bad row of a PBX must not spoil the answer. */
function listIn<Item>(text: string | null, fits: (item: Readonly<Record<string, unknown>>) => boolean): Item[] {
  try {
    const list: unknown = JSON.parse(text ?? '[]');
    if (!Array.isArray(list)) return [];
    return list.filter((item) => typeof item === 'object' && item !== null && fits(item as never)) as Item[];
  } catch {
    return [];
  }
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isTextOrNull = (value: unknown): boolean => value === null || isText(value);
/** A moment that a date can have. */
const isMoment = (value: unknown): boolean => typeof value === 'number' && Math.abs(value) <= 8.64e15;

function isNote({ id, text, author, atMs }: Readonly<Record<string, unknown>>): boolean {
  return isText(id) && isText(text) && isTextOrNull(author) && isMoment(atMs);
}

function isTag({ tag, author, atMs }: Readonly<Record<string, unknown>>): boolean {
  return isText(tag) && isTextOrNull(author) && isMoment(atMs);
}
