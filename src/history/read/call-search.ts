import type { Database } from 'better-sqlite3';
import type { CallOrder } from '../../model/ports.ts';
import type { CallsQuery } from '../thread/protocol.ts';
import type { Row } from '../schema/rows.ts';
import type { TermField } from '../sums/terms.ts';
import { boundsOf, type Parameters, type TermList, type Wish, wishesOf } from './call-wishes.ts';

/** Bounds on the search for a fast plan. The result is the same with any. */
export interface SearchLimits {
  /** Entries of a list that are counted. The rest is estimated by the age of the last one. */
  readonly mostCounted: number;
  /** Lists of terms with the same prefix that are merged while they are read. */
  readonly mostMerged: number;
  /** With more terms, all entries are sorted if they are no more than this. */
  readonly mostSorted: number;
}

const LIMITS: SearchLimits = { mostCounted: 2000, mostMerged: 100, mostSorted: 10_000 };
/** Only so many of the newest matching calls are counted, or sorted by something else than time. */
export const MOST_ORDERED = 10_000;
/** Cost of looking at a call, in entries of a list. */
const CALL_COST = 4;

const NEWEST_FIRST = 'ORDER BY started_at_ms DESC, linkedid DESC';
/** A sort key behind all known values. */
const LAST = 1e15;

/** Sort keys, the lowest first. Unknown values come last in either direction. */
const ORDER_KEYS: Readonly<Record<CallOrder, string>> = {
  'lowest-score': `ifnull(calls.mes, ${LAST})`,
  'highest-score': `ifnull(-calls.mes, ${LAST})`,
  'lowest-minimum': `ifnull(calls.mes_min, ${LAST})`,
  shortest: `ifnull(calls.ended_at_ms - calls.started_at_ms, ${LAST})`,
  longest: `ifnull(calls.started_at_ms - calls.ended_at_ms, ${LAST})`,
};

/** A source of candidates among the counted calls. */
interface Source {
  /** SELECTs that give `started_at_ms` and `linkedid`; a call may be in several. */
  readonly selects: readonly string[];
  /** Number of entries, counted or estimated. */
  readonly cost: number;
}

/** The matching calls: rows of `calls AS c` with a condition, and SELECTs of counted calls. */
interface Found {
  readonly parameters: Parameters;
  /** All calls when only a time is asked for; otherwise the uncounted calls. */
  readonly rows: string;
  readonly selects: readonly string[];
}

/**
 * Finds calls. Counted calls are found by their terms (`call_terms`): the rarest condition gives candidates, newest first, and each
 * is checked against the others. The few that are not counted yet are looked at one by one.
 */
export class CallSearch {
  readonly #database: Database;
  readonly #limits: SearchLimits;

  constructor(database: Database, limits = LIMITS) {
    this.#database = database;
    this.#limits = limits;
  }

  /** At most `rows` rows of `calls`: newest first, or the first by another order of the newest 10,000 that match. */
  find(query: Pick<CallsQuery, 'filter' | 'cursor' | 'order'>, rows: number): Row[] {
    const found = this.#found(query);
    const parameters = { ...found.parameters, rows };
    if (query.order !== undefined) return this.#inOrder(found, query.order, parameters);
    const others = this.#all(`SELECT * FROM ${found.rows} ${NEWEST_FIRST} LIMIT @rows`, parameters);
    if (found.selects.length === 0) return others;
    const counted = this.#all(
      `SELECT calls.* FROM (${found.selects.join(' UNION ')} ${NEWEST_FIRST} LIMIT @rows) AS found
        CROSS JOIN calls ON calls.linkedid = found.linkedid`,
      parameters,
    );
    return [...counted, ...others].toSorted(newestFirst).slice(0, rows);
  }

  /** Number of matching calls; null: more than `MOST_ORDERED`. */
  count({ filter }: Pick<CallsQuery, 'filter'>): number | null {
    const { parameters, ...found } = this.#found({ filter, cursor: null });
    const parts = found.selects.length === 0 ? [] : [found.selects.join(' UNION ')];
    const count = [`SELECT 1 FROM ${found.rows}`, ...parts]
      .map((part) => `SELECT 1 FROM (${part} LIMIT ${MOST_ORDERED + 1})`)
      .reduce(
        (sum, part) => sum + Number(this.#database.prepare(`SELECT count(*) FROM (${part})`).pluck().get(parameters)),
        0,
      );
    return count > MOST_ORDERED ? null : count;
  }

  #inOrder(found: Found, order: CallOrder, parameters: Parameters): Row[] {
    const newest = [`SELECT started_at_ms, linkedid FROM ${found.rows}`, ...found.selects].join(' UNION ');
    return this.#all(
      `WITH first AS (
          SELECT calls.linkedid, ${ORDER_KEYS[order]} AS key
          FROM (${newest} ${NEWEST_FIRST} LIMIT ${MOST_ORDERED}) AS newest CROSS JOIN calls ON calls.linkedid = newest.linkedid
          ORDER BY key, calls.started_at_ms DESC, calls.linkedid DESC LIMIT @rows
        ) SELECT calls.* FROM first CROSS JOIN calls ON calls.linkedid = first.linkedid
        ORDER BY first.key, calls.started_at_ms DESC, calls.linkedid DESC`,
      parameters,
    );
  }

  #found({ filter, cursor }: Pick<CallsQuery, 'filter' | 'cursor'>): Found {
    const parameters: Parameters = {};
    const wishes = wishesOf(filter, parameters);
    const bounds = boundsOf(filter, cursor, parameters);
    const all = [bounds, ...wishes.map(({ sql }) => sql)].join(' AND ');
    if (wishes.length === 0) return { parameters, rows: `calls AS c WHERE ${all}`, selects: [] };
    const { selects } = this.#cheapest(wishes, bounds, parameters);
    return { parameters, rows: `calls AS c WHERE is_counted = 0 AND ${all}`, selects };
  }

  #cheapest(wishes: readonly Wish[], bounds: string, parameters: Parameters): Source {
    const asked = wishes.map((wish, index) => askedOf(wish, `asked${index}`, parameters));
    const everyCall = `FROM calls AS c WHERE is_counted = 1 AND ${bounds}`;
    const sources = wishes.flatMap((wish, index) => {
      const conditions = asked.filter((_, other) => other !== index || !wish.isWhole);
      return this.#source(wish, `list${index}`, [bounds, ...conditions].join(' AND '), bounds, parameters) ?? [];
    });
    const walk: Source = {
      selects: [`SELECT started_at_ms, linkedid ${everyCall} AND ${asked.join(' AND ')}`],
      cost: CALL_COST * this.#length(everyCall, parameters, 1),
    };
    return [...sources, walk].reduce((best, source) => (source.cost < best.cost ? source : best));
  }

  /** The cheapest source for a wish; undefined: only a walk over all calls finds them. */
  #source(wish: Wish, name: string, conditions: string, bounds: string, parameters: Parameters): Source | undefined {
    const { lists, rows = [], few } = wish;
    if (few !== undefined) return this.#sorted(few, conditions, parameters);
    if (lists.length === 0 && rows.length === 0) return undefined;
    const sources = [
      ...lists.map((list, index) =>
        this.#listSource(list, `${name}_${index}`, { conditions, bounds, among: lists.length }, parameters),
      ),
      ...rows.map((from) => ({
        selects: [`SELECT started_at_ms, linkedid FROM ${from} AND ${conditions}`],
        cost: CALL_COST * this.#length(`FROM ${from} AND ${bounds}`, parameters, rows.length),
      })),
    ];
    return {
      selects: sources.flatMap(({ selects }) => selects),
      cost: sources.reduce((sum, { cost }) => sum + cost, 0),
    };
  }

  #listSource(
    { field, values }: TermList,
    name: string,
    asked: { readonly conditions: string; readonly bounds: string; readonly among: number },
    parameters: Parameters,
  ): Source {
    const [from, before] = values;
    const entries = `FROM call_terms AS c WHERE c.field = '${field}' AND`;
    const mostMerged = Math.floor(this.#limits.mostMerged / asked.among);
    const terms = before === undefined ? [from] : this.#terms(field, from, before, mostMerged);
    if (before !== undefined && terms.length > mostMerged) {
      Object.assign(parameters, { [`${name}From`]: from, [`${name}Before`]: before });
      const range = `${entries} c.value >= @${name}From AND c.value < @${name}Before AND`;
      const cost = this.#countUpToSorted(`${range} TRUE`, parameters);
      return { selects: [`SELECT DISTINCT started_at_ms, linkedid ${range} ${asked.conditions}`], cost };
    }
    let cost = 0;
    const selects = terms.map((value, index) => {
      const term = `${name}_${index}`;
      parameters[term] = value;
      const own = `${entries} c.value = @${term} AND`;
      cost += this.#length(`${own} ${asked.bounds}`, parameters, terms.length * asked.among);
      return `SELECT started_at_ms, linkedid ${own} ${asked.conditions}`;
    });
    return { selects: selects.length === 0 ? [`SELECT started_at_ms, linkedid ${entries} FALSE`] : selects, cost };
  }

  /** A source that must be sorted; undefined: too many rows, and then a walk soon finds enough calls. */
  #sorted(few: string, conditions: string, parameters: Parameters): Source | undefined {
    const cost = CALL_COST * this.#countUpToSorted(`FROM ${few}`, parameters);
    if (cost === Infinity) return undefined;
    return { selects: [`SELECT started_at_ms, linkedid FROM ${few} AND ${conditions}`], cost };
  }

  /** Infinity: more than are sorted. */
  #countUpToSorted(rows: string, parameters: Parameters): number {
    const { mostSorted } = this.#limits;
    const count = this.#database.prepare(`SELECT count(*) FROM (SELECT 1 ${rows} LIMIT ${mostSorted + 1})`);
    const length = Number(count.pluck().get(parameters));
    return length > mostSorted ? Infinity : length;
  }

  /** Number of entries in a list, one of `among` lists that are read together. */
  #length(list: string, parameters: Parameters, among: number): number {
    const most = Math.ceil(this.#limits.mostCounted / among);
    const [count, oldestMs, lastMs, firstMs] = this.#database
      .prepare<unknown[], [number, number, number, number]>(
        `SELECT count(*), min(started_at_ms), (SELECT max(started_at_ms) FROM calls), (SELECT min(started_at_ms) FROM calls)
          FROM (SELECT started_at_ms ${list} ${NEWEST_FIRST} LIMIT ${most})`,
      )
      .raw()
      .get(parameters) ?? [0, 0, 0, 0];
    return count < most ? count : count * Math.max(1, (lastMs - firstMs) / (lastMs - oldestMs + 1));
  }

  /** The values in a range, at most one more than `most`. Each is looked up behind the one before. */
  #terms(field: TermField, from: string, before: string, most: number): string[] {
    const next = (condition: string): string =>
      `(SELECT min(value) FROM call_terms WHERE field = @field AND value ${condition})`;
    const values = this.#database.prepare<unknown[], string>(
      `WITH RECURSIVE found (value) AS (
          SELECT ${next('>= @from')} UNION ALL SELECT ${next('> found.value')} FROM found WHERE found.value < @before
        ) SELECT value FROM found WHERE value < @before LIMIT ${most + 1}`,
    );
    return values.pluck().all({ field, from, before });
  }

  #all(sql: string, parameters: Parameters): Row[] {
    return this.#database.prepare<unknown[], Row>(sql).all(parameters);
  }
}

/** A wish as a condition on `c`. Single entries of `call_terms` are used where they decide: looking them up is fastest. */
function askedOf({ sql, lists, isWhole }: Wish, name: string, parameters: Parameters): string {
  if (!isWhole || lists.length === 0 || lists.some(({ values }) => values.length > 1)) return sql;
  const tests = lists.map(({ field, values: [value] }, index) => {
    parameters[`${name}_${index}`] = value;
    return `EXISTS (SELECT 1 FROM call_terms AS t WHERE t.field = '${field}' AND t.value = @${name}_${index}
      AND t.started_at_ms = c.started_at_ms AND t.linkedid = c.linkedid)`;
  });
  return `(${tests.join(' OR ')})`;
}

function newestFirst(one: Row, other: Row): number {
  return (
    Number(other['started_at_ms']) - Number(one['started_at_ms']) ||
    (String(one['linkedid']) < String(other['linkedid']) ? 1 : -1)
  );
}
