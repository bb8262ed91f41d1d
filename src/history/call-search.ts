import type { Database } from 'better-sqlite3';
import type { CallCursor, CallFilter } from '../model/ports.ts';
import type { CallsQuery } from './protocol.ts';
import type { Cell, Row } from './rows.ts';
import { LAST_CHARACTER, scoreBand, type TermField } from './terms.ts';

/** How far the search goes to find a fast way; it finds the same calls in any case. */
export interface SearchLimits {
  /** A list of calls is counted up to here, to find the shortest. */
  readonly mostCounted: number;
  /** So many lists are merged as they are read, of as many terms that begin alike; of more, all entries are sorted. */
  readonly mostMerged: number;
}

const LIMITS: SearchLimits = { mostCounted: 10_000, mostMerged: 100 };
/** Looking at a call takes longer than reading an entry of a list. */
const CALL_COST = 4;
const LOWEST_OPINION = 0;
const HIGHEST_OPINION = 5;

const NEWEST_FIRST = 'ORDER BY started_at_ms DESC, linkedid DESC';

/** What is asked of a call `c`. */
interface Wish {
  readonly sql: string;
  readonly field: TermField;
  /** The one term whose calls fulfil it; or the terms, from the first to before the second, among whose calls they are. */
  readonly values: readonly [only: string] | readonly [from: string, before: string];
}

/** A way to the settled calls that a search looks through. */
interface Source {
  /** SELECTs that give `started_at_ms` and `linkedid`; a call may be in several. */
  readonly selects: readonly string[];
  /** What reading all of it would take; counted no further than the limit. */
  readonly cost: number;
}

type Parameters = Record<string, Cell>;

function ofCall(column: string): string {
  return `(SELECT ${column} FROM calls WHERE calls.linkedid = c.linkedid)`;
}

function anyChannel(condition: string, joins = ''): string {
  return `EXISTS (SELECT 1 FROM channels ${joins} WHERE channels.linkedid = c.linkedid AND ${condition})`;
}

/** One of the columns is the text, or begins with it when it has `*` at its end. */
function textWish(field: 'endpoint' | 'number', text: string, columns: readonly string[], to: Parameters): Wish {
  const isBeginning = text.endsWith('*');
  const value = isBeginning ? text.slice(0, -1) : text;
  to[field] = value;
  const test = (column: string): string =>
    isBeginning ? `substr(${column}, 1, length(@${field})) = @${field}` : `${column} = @${field}`;
  const sql = anyChannel(`(${columns.map(test).join(' OR ')})`);
  return { sql, field, values: isBeginning ? [value, value + LAST_CHARACTER] : [value] };
}

function wishesOf({ verdict, codec, endpoint, number, minMes, maxMes }: CallFilter, to: Parameters): Wish[] {
  const wishes: Wish[] = [];
  // Where lists are too long to be counted the first is taken: those of numbers and endpoints are mostly the shorter ones.
  if (number !== undefined) wishes.push(textWish('number', number, ['caller_number', 'connected_number'], to));
  if (endpoint !== undefined) wishes.push(textWish('endpoint', endpoint, ['endpoint'], to));
  if (verdict !== undefined) {
    to['verdict'] = verdict;
    wishes.push({ sql: `${ofCall('verdict')} = @verdict`, field: 'verdict', values: [verdict] });
  }
  if (codec !== undefined) {
    to['codec'] = codec;
    const sql = anyChannel('streams.codec = @codec', 'JOIN streams ON streams.uniqueid = channels.uniqueid');
    wishes.push({ sql, field: 'codec', values: [codec] });
  }
  if (minMes !== undefined || maxMes !== undefined) {
    to['minMes'] = minMes ?? LOWEST_OPINION;
    to['maxMes'] = maxMes ?? HIGHEST_OPINION;
    const values = [scoreBand(to['minMes']), scoreBand(to['maxMes']) + LAST_CHARACTER] as const;
    wishes.push({ sql: `${ofCall('mes')} BETWEEN @minMes AND @maxMes`, field: 'score', values });
  }
  return wishes;
}

function boundsOf({ fromMs, toMs }: CallFilter, cursor: CallCursor | null, to: Parameters): string {
  const bounds: string[] = [];
  if (fromMs !== undefined) bounds.push('c.started_at_ms >= @fromMs');
  if (toMs !== undefined) bounds.push('c.started_at_ms < @toMs');
  if (cursor !== null) bounds.push('(c.started_at_ms, c.linkedid) < (@lastStartMs, @lastLinkedid)');
  Object.assign(to, { fromMs: fromMs ?? null, toMs: toMs ?? null });
  Object.assign(to, { lastStartMs: cursor?.startedAtMs ?? null, lastLinkedid: cursor?.linkedid ?? null });
  return bounds.join(' AND ') || 'TRUE';
}

/**
 * Finds calls. Settled ones through the terms that they are found by (`call_terms`): the rarest of the conditions gives
 * the calls, newest first, and the others are asked of each. The few that are not settled are looked at one by one.
 */
export class CallSearch {
  readonly #database: Database;
  readonly #limits: SearchLimits;

  constructor(database: Database, limits = LIMITS) {
    this.#database = database;
    this.#limits = limits;
  }

  /** Rows of `calls`, newest first, at most `rows`. */
  find({ filter, cursor }: Pick<CallsQuery, 'filter' | 'cursor'>, rows: number): Row[] {
    const parameters: Parameters = { rows };
    const wishes = wishesOf(filter, parameters);
    const bounds = boundsOf(filter, cursor, parameters);
    const all = [bounds, ...wishes.map(({ sql }) => sql)].join(' AND ');
    if (wishes.length === 0) {
      return this.#all(`SELECT * FROM calls AS c WHERE ${all} ${NEWEST_FIRST} LIMIT @rows`, parameters);
    }
    const others = this.#all(
      `SELECT * FROM calls AS c WHERE is_settled = 0 AND ${all} ${NEWEST_FIRST} LIMIT @rows`,
      parameters,
    );
    const { selects } = this.#cheapest(wishes, bounds, parameters);
    const settled = this.#all(
      `SELECT calls.* FROM (${selects.join(' UNION ')} ${NEWEST_FIRST} LIMIT @rows) AS found
        CROSS JOIN calls ON calls.linkedid = found.linkedid`,
      parameters,
    );
    return [...settled, ...others].toSorted(newestFirst).slice(0, rows);
  }

  #cheapest(wishes: readonly Wish[], bounds: string, parameters: Parameters): Source {
    const asked = wishes.map(({ sql, field, values }) => {
      if (values.length > 1) return sql;
      const [value] = values;
      parameters[`${field}Term`] = value;
      return `EXISTS (SELECT 1 FROM call_terms AS t WHERE t.field = '${field}' AND t.value = @${field}Term
        AND t.started_at_ms = c.started_at_ms AND t.linkedid = c.linkedid)`;
    });
    const everyCall = `FROM calls AS c WHERE is_settled = 1 AND ${bounds}`;
    const sources = wishes.map((wish, index) => {
      const conditions = asked.filter((_, other) => other !== index || wish.values.length > 1);
      return this.#source(wish, [bounds, ...conditions].join(' AND '), bounds, parameters);
    });
    const walk: Source = {
      selects: [`SELECT started_at_ms, linkedid ${everyCall} AND ${asked.join(' AND ')}`],
      cost: CALL_COST * this.#count(everyCall, parameters),
    };
    return [...sources, walk].reduce((best, source) => (source.cost < best.cost ? source : best));
  }

  #source({ field, values }: Wish, conditions: string, bounds: string, parameters: Parameters): Source {
    const [from, before] = values;
    const entries = `FROM call_terms AS c WHERE c.field = '${field}' AND`;
    if (before === undefined) {
      const own = `${entries} c.value = @${field}Term AND`;
      return {
        selects: [`SELECT started_at_ms, linkedid ${own} ${conditions}`],
        cost: this.#count(`${own} ${bounds}`, parameters),
      };
    }
    const [first, end] = [`${field}From`, `${field}Before`];
    Object.assign(parameters, { [first]: from, [end]: before });
    const range = `${entries} c.value >= @${first} AND c.value < @${end} AND`;
    const cost = this.#count(`${range} ${bounds}`, parameters);
    const terms = this.#terms(field, from, before);
    if (terms.length > this.#limits.mostMerged) {
      return {
        selects: [`SELECT DISTINCT started_at_ms, linkedid ${range} ${conditions}`],
        // Nothing tells how many more there are, and all would be sorted.
        cost: cost < this.#limits.mostCounted ? cost : Infinity,
      };
    }
    const selects = terms.map((value, index) => {
      parameters[`${field}${index}`] = value;
      return `SELECT started_at_ms, linkedid ${entries} c.value = @${field}${index} AND ${conditions}`;
    });
    return { selects: selects.length === 0 ? [`SELECT started_at_ms, linkedid ${range} FALSE`] : selects, cost };
  }

  #count(of: string, parameters: Parameters): number {
    const count = this.#database
      .prepare(`SELECT count(*) FROM (SELECT 1 ${of} LIMIT ${this.#limits.mostCounted})`)
      .pluck();
    return Number(count.get(parameters));
  }

  /** The values in a range, one more than can be merged at most: each is looked up behind the one before. */
  #terms(field: TermField, from: string, before: string): string[] {
    const next = (condition: string): string =>
      `(SELECT min(value) FROM call_terms WHERE field = @field AND value ${condition})`;
    const values = this.#database.prepare<unknown[], string>(
      `WITH RECURSIVE found (value) AS (
          SELECT ${next('>= @from')} UNION ALL SELECT ${next('> found.value')} FROM found WHERE found.value < @before
        ) SELECT value FROM found WHERE value < @before LIMIT ${this.#limits.mostMerged + 1}`,
    );
    return values.pluck().all({ field, from, before });
  }

  #all(sql: string, parameters: Parameters): Row[] {
    return this.#database.prepare<unknown[], Row>(sql).all(parameters);
  }
}

function newestFirst(one: Row, other: Row): number {
  return (
    Number(other['started_at_ms']) - Number(one['started_at_ms']) ||
    (String(one['linkedid']) < String(other['linkedid']) ? 1 : -1)
  );
}
