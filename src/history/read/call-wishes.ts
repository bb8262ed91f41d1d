import type { CallCursor, CallFilter } from '../../model/ports.ts';
import type { Cell } from '../schema/rows.ts';
import { LAST_CHARACTER, scoreBand, type TermField, verdictBand } from '../sums/terms.ts';

const LOWEST_OPINION = 0;
const HIGHEST_OPINION = 5;
const MS_PER_S = 1000;

/** Entries of `call_terms`: of one term, or of all terms in a half-open range. */
export interface TermList {
  readonly field: TermField;
  readonly values: readonly [only: string] | readonly [from: string, before: string];
}

/** A condition on a call `c`, and where its calls are found. */
export interface Wish {
  readonly sql: string;
  /** Lists that hold all matching calls; empty: there is no such list. */
  readonly lists: readonly TermList[];
  /** The matching counted calls as rows `AS c` with a condition, each newest first by an index. */
  readonly rows?: readonly string[];
  /** The same calls as unsorted rows, for a search that finds few. */
  readonly few?: string;
  /** True: every call of the lists or rows matches. */
  readonly isWhole: boolean;
}

export type Parameters = Record<string, Cell>;

function ofCall(column: string): string {
  return `(SELECT ${column} FROM calls WHERE calls.linkedid = c.linkedid)`;
}

/** The call is counted: asked of the few that are not, since to look into each row of `calls` takes ten times as long. */
const IS_COUNTED = `NOT EXISTS (SELECT 1 FROM calls AS waiting INDEXED BY calls_unsettled
  WHERE waiting.is_counted = 0 AND waiting.started_at_ms = c.started_at_ms AND waiting.linkedid = c.linkedid)`;

function anyChannel(condition: string, joins = ''): string {
  return `EXISTS (SELECT 1 FROM channels ${joins} WHERE channels.linkedid = c.linkedid AND ${condition})`;
}

/** Binds values, and returns their names for SQL's IN. */
function bind(name: string, values: readonly string[], to: Parameters): string[] {
  return values.map((value, index) => {
    to[`${name}_${index}`] = value;
    return `@${name}_${index}`;
  });
}

/** A condition: one of the columns equals one of the texts, or begins with a text that has `*` at its end. */
function textTest(name: string, columns: readonly string[], texts: readonly string[], to: Parameters): string {
  const plain = texts.map((text) => (text.endsWith('*') ? text.slice(0, -1) : text));
  const tests = bind(name, plain, to).flatMap((parameter, index) =>
    columns.map((column) =>
      texts[index]?.endsWith('*') === true
        ? `substr(${column}, 1, length(${parameter})) = ${parameter}`
        : `${column} = ${parameter}`,
    ),
  );
  return `(${tests.join(' OR ')})`;
}

function textLists(field: 'endpoint' | 'number' | 'device' | 'site', texts: readonly string[]): TermList[] {
  return texts.map((text) => {
    const value = text.endsWith('*') ? text.slice(0, -1) : text;
    return { field, values: text.endsWith('*') ? [value, value + LAST_CHARACTER] : [value] };
  });
}

const NUMBER_COLUMNS = ['caller_number', 'connected_number'];

/**
 * Whether the endpoint made or got the call. The first channel of a call belongs to the endpoint that made it, and its uniqueid
 * is the linkedid.
 */
const DIRECTION_TESTS = {
  from: 'channels.uniqueid = channels.linkedid',
  to: 'channels.uniqueid <> channels.linkedid',
} as const;

function channelWishes(filter: CallFilter, to: Parameters): Wish[] {
  const { endpoints, direction, numbers, party, devices, sites } = filter;
  const wishes: Wish[] = [];
  for (const [field, values] of [
    ['device', devices],
    ['site', sites],
  ] as const) {
    if (values === undefined) continue;
    const sql = anyChannel(textTest(field, [field], values, to));
    wishes.push({ sql, lists: textLists(field, values), isWhole: true });
  }
  if (numbers !== undefined) {
    const sql = anyChannel(textTest('number', NUMBER_COLUMNS, numbers, to));
    wishes.push({ sql, lists: textLists('number', numbers), isWhole: true });
  }
  if (endpoints !== undefined) {
    const test = textTest('endpoint', ['endpoint'], endpoints, to);
    const sql = anyChannel(direction === undefined ? test : `${test} AND ${DIRECTION_TESTS[direction]}`);
    wishes.push({ sql, lists: textLists('endpoint', endpoints), isWhole: direction === undefined });
  }
  if (party !== undefined) {
    const tests = [textTest('partyEndpoint', ['endpoint'], party.endpoints, to)];
    if (party.numbers.length > 0) tests.push(textTest('partyNumber', NUMBER_COLUMNS, party.numbers, to));
    const lists = [...textLists('endpoint', party.endpoints), ...textLists('number', party.numbers)];
    wishes.push({ sql: anyChannel(`(${tests.join(' OR ')})`), lists, isWhole: true });
  }
  return wishes;
}

function qualityWishes({ verdicts, minMes, maxMes }: CallFilter, to: Parameters): Wish[] {
  const isVerdict =
    verdicts === undefined ? '' : `${ofCall('verdict')} IN (${bind('verdict', verdicts, to).join(', ')})`;
  const ofVerdicts = (): Wish => ({
    sql: isVerdict,
    lists: (verdicts ?? []).map((verdict) => ({ field: 'verdict', values: [verdict] })),
    isWhole: true,
  });
  if (minMes === undefined && maxMes === undefined) return verdicts === undefined ? [] : [ofVerdicts()];
  to['minMes'] = minMes ?? LOWEST_OPINION;
  to['maxMes'] = maxMes ?? HIGHEST_OPINION;
  const isBetween = `${ofCall('mes')} BETWEEN @minMes AND @maxMes`;
  const [from, until] = [scoreBand(to['minMes']), scoreBand(to['maxMes']) + LAST_CHARACTER];
  const [only, ...others] = verdicts ?? [];
  if (only !== undefined && others.length === 0) {
    const values = [verdictBand(only, from), verdictBand(only, until)] as const;
    return [{ sql: `${isVerdict} AND ${isBetween}`, lists: [{ field: 'verdict_score', values }], isWhole: false }];
  }
  const ofScores: Wish = { sql: isBetween, lists: [{ field: 'score', values: [from, until] }], isWhole: false };
  return verdicts === undefined ? [ofScores] : [ofVerdicts(), ofScores];
}

const RATINGS_OF_CALL = 'FROM ratings WHERE ratings.linkedid = c.linkedid';

/** Wishes about ratings. Few calls are rated, so the search begins with those. */
function ratingWishes({ rating }: CallFilter, to: Parameters): Wish[] {
  if (rating === undefined) return [];
  if (rating === 'none') return [{ sql: `NOT EXISTS (SELECT 1 ${RATINGS_OF_CALL})`, lists: [], isWhole: true }];
  const { lowestScore, highestScore, issues } = rating;
  const tests = ['TRUE'];
  if (lowestScore !== undefined && highestScore !== undefined) {
    Object.assign(to, { lowestScore, highestScore });
    tests.push('ratings.score BETWEEN @lowestScore AND @highestScore');
  }
  if (issues !== undefined) {
    const words = bind('issue', issues, to).join(', ');
    tests.push(`EXISTS (SELECT 1 FROM json_each(ratings.issues) WHERE value IN (${words}))`);
  }
  const test = tests.join(' AND ');
  return [
    {
      sql: `EXISTS (SELECT 1 ${RATINGS_OF_CALL} AND ${test})`,
      lists: [],
      rows: [`rated_calls AS c WHERE ${IS_COUNTED}`],
      isWhole: tests.length === 1,
    },
  ];
}

/** A wish for one of some words in a column of calls that has an index of its own. */
function wordWish(column: string, index: string, words: readonly string[], to: Parameters): Wish {
  const asked = bind(column, words, to);
  return {
    sql: `${ofCall(column)} IN (${asked.join(', ')})`,
    lists: [],
    rows: asked.map((word) => `calls AS c INDEXED BY ${index} WHERE c.${column} = ${word} AND ${IS_COUNTED}`),
    isWhole: true,
  };
}

/** The wishes of a filter, without its time. */
export function wishesOf(filter: CallFilter, to: Parameters): Wish[] {
  const wishes = [...channelWishes(filter, to), ...qualityWishes(filter, to), ...ratingWishes(filter, to)];
  const { codecs, faultPlaces, enders, findings, tags, minDurationS, maxDurationS } = filter;
  if (codecs !== undefined) {
    const sql = anyChannel(
      `streams.codec IN (${bind('codec', codecs, to).join(', ')})`,
      'JOIN streams ON streams.uniqueid = channels.uniqueid',
    );
    wishes.push({ sql, lists: codecs.map((codec) => ({ field: 'codec', values: [codec] })), isWhole: true });
  }
  if (findings !== undefined) {
    const tests = bind('finding', findings, to).map((finding) => `instr(${ofCall('findings')}, ${finding}) > 0`);
    const lists = findings.map((finding) => ({ field: 'finding', values: [finding] }) as const);
    wishes.push({ sql: `(${tests.join(' OR ')})`, lists, isWhole: true });
  }
  if (faultPlaces !== undefined) wishes.push(wordWish('fault_place', 'calls_by_fault_place', faultPlaces, to));
  if (enders !== undefined) wishes.push(wordWish('ended_by', 'calls_by_ender', enders, to));
  if (tags !== undefined) {
    const asked = bind('tag', tags, to);
    wishes.push({
      sql: `EXISTS (SELECT 1 FROM call_tags WHERE call_tags.linkedid = c.linkedid AND call_tags.tag IN (${asked.join(', ')}))`,
      lists: [],
      rows: asked.map((tag) => `call_tags AS c WHERE c.tag = ${tag} AND ${IS_COUNTED}`),
      isWhole: true,
    });
  }
  if (minDurationS !== undefined || maxDurationS !== undefined) {
    to['minDurationMs'] = (minDurationS ?? 0) * MS_PER_S;
    to['maxDurationMs'] = (maxDurationS ?? Number.MAX_SAFE_INTEGER / MS_PER_S) * MS_PER_S;
    const length = ofCall('calls.ended_at_ms - calls.started_at_ms');
    wishes.push({
      sql: `${length} BETWEEN @minDurationMs AND @maxDurationMs`,
      lists: [],
      few: `calls AS c INDEXED BY calls_by_length WHERE c.ended_at_ms - c.started_at_ms BETWEEN @minDurationMs AND @maxDurationMs
        AND c.is_counted = 1 AND c.ended_at_ms IS NOT NULL`,
      isWhole: true,
    });
  }
  return wishes;
}

/** A condition for the filter's time and the page's beginning. */
export function boundsOf({ fromMs, toMs }: CallFilter, cursor: CallCursor | null, to: Parameters): string {
  const bounds: string[] = [];
  if (fromMs !== undefined) bounds.push('c.started_at_ms >= @fromMs');
  if (toMs !== undefined) bounds.push('c.started_at_ms < @toMs');
  if (cursor !== null) bounds.push('(c.started_at_ms, c.linkedid) < (@lastStartMs, @lastLinkedid)');
  Object.assign(to, { fromMs: fromMs ?? null, toMs: toMs ?? null });
  Object.assign(to, { lastStartMs: cursor?.startedAtMs ?? null, lastLinkedid: cursor?.linkedid ?? null });
  return bounds.join(' AND ') || 'TRUE';
}
