import type { Database } from 'better-sqlite3';
import type { CallCursor, CallFilter } from '../../model/ports.ts';
import type { CallsQuery } from '../thread/protocol.ts';
import type { Cell, Row } from '../schema/rows.ts';
import { LAST_CHARACTER, scoreBand, type TermField, verdictBand } from '../sums/terms.ts';

/** How far the search goes to find a fast way; it finds the same calls in any case. */
export interface SearchLimits {
  /** Of a list of calls so many are counted; how long it is beyond is estimated by how old the last of them is. */
  readonly mostCounted: number;
  /** So many lists are merged as they are read, of as many terms that begin alike. */
  readonly mostMerged: number;
  /** Of more terms all entries are sorted, if there are no more than this. */
  readonly mostSorted: number;
}

const LIMITS: SearchLimits = { mostCounted: 2000, mostMerged: 100, mostSorted: 10_000 };
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
  /** All calls of the terms fulfil it. */
  readonly isWhole: boolean;
}

/** A way to the settled calls that a search looks through. */
interface Source {
  /** SELECTs that give `started_at_ms` and `linkedid`; a call may be in several. */
  readonly selects: readonly string[];
  /** Entries, as far as they are counted or can be estimated. */
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
  return { sql, field, values: isBeginning ? [value, value + LAST_CHARACTER] : [value], isWhole: true };
}

function wishesOf({ verdict, codec, endpoint, number, minMes, maxMes }: CallFilter, to: Parameters): Wish[] {
  const wishes: Wish[] = [];
  if (number !== undefined) wishes.push(textWish('number', number, ['caller_number', 'connected_number'], to));
  if (endpoint !== undefined) wishes.push(textWish('endpoint', endpoint, ['endpoint'], to));
  if (verdict !== undefined) to['verdict'] = verdict;
  const isVerdict = `${ofCall('verdict')} = @verdict`;
  if (minMes !== undefined || maxMes !== undefined) {
    to['minMes'] = minMes ?? LOWEST_OPINION;
    to['maxMes'] = maxMes ?? HIGHEST_OPINION;
    const isBetween = `${ofCall('mes')} BETWEEN @minMes AND @maxMes`;
    const [from, until] = [scoreBand(to['minMes']), scoreBand(to['maxMes']) + LAST_CHARACTER];
    if (verdict === undefined) {
      wishes.push({ sql: isBetween, field: 'score', values: [from, until], isWhole: false });
    } else {
      const values = [verdictBand(verdict, from), verdictBand(verdict, until)] as const;
      wishes.push({ sql: `${isVerdict} AND ${isBetween}`, field: 'verdict_score', values, isWhole: false });
    }
  } else if (verdict !== undefined) {
    wishes.push({ sql: isVerdict, field: 'verdict', values: [verdict], isWhole: true });
  }
  if (codec !== undefined) {
    to['codec'] = codec;
    const sql = anyChannel('streams.codec = @codec', 'JOIN streams ON streams.uniqueid = channels.uniqueid');
    wishes.push({ sql, field: 'codec', values: [codec], isWhole: true });
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
      const conditions = asked.filter((_, other) => other !== index || !wish.isWhole);
      return this.#source(wish, [bounds, ...conditions].join(' AND '), bounds, parameters);
    });
    const walk: Source = {
      selects: [`SELECT started_at_ms, linkedid ${everyCall} AND ${asked.join(' AND ')}`],
      cost: CALL_COST * this.#length(everyCall, parameters, 1),
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
        cost: this.#length(`${own} ${bounds}`, parameters, 1),
      };
    }
    const terms = this.#terms(field, from, before);
    if (terms.length > this.#limits.mostMerged) {
      Object.assign(parameters, { [`${field}From`]: from, [`${field}Before`]: before });
      const range = `${entries} c.value >= @${field}From AND c.value < @${field}Before AND`;
      const { mostSorted } = this.#limits;
      const count = this.#database.prepare(`SELECT count(*) FROM (SELECT 1 ${range} TRUE LIMIT ${mostSorted + 1})`);
      const length = Number(count.pluck().get(parameters));
      const cost = length > mostSorted ? Infinity : length;
      return { selects: [`SELECT DISTINCT started_at_ms, linkedid ${range} ${conditions}`], cost };
    }
    let cost = 0;
    const selects = terms.map((value, index) => {
      const name = `${field}${index}`;
      parameters[name] = value;
      const own = `${entries} c.value = @${name} AND`;
      cost += this.#length(`${own} ${bounds}`, parameters, terms.length);
      return `SELECT started_at_ms, linkedid ${own} ${conditions}`;
    });
    return { selects: selects.length === 0 ? [`SELECT started_at_ms, linkedid ${entries} FALSE`] : selects, cost };
  }

  /** How many entries a list has, one of `among` lists that are looked at together. */
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
