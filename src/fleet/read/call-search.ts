import type { CallCursor, CallFilter, CallOrder, TimeRange } from '../../model/ports.ts';
import type { Question } from './question.ts';
import { allOf, listOf, quote, textTest } from './sql.ts';

/** Only so many of the newest matching calls are counted, or sorted by something other than time. */
export const MOST_ORDERED = 10_000;
/** At 1,000 calls a second this stretch has as many calls as can be sorted in a tenth of a second. */
const FIRST_SPAN_MS = 120_000;
/** Each stretch of time is so many times as long as the one before; the last one is all the rest. */
const GROWTH = 20;
const LONGEST_SPAN_MS = 400 * 86_400_000;
/** A PBX's clock may be ahead by this much (batch.ts). */
const AHEAD_MS = 2 * 86_400_000;
const LOWEST_OPINION = 0;
const HIGHEST_OPINION = 5;

/** Where a call is stored, and the values that it may be sorted by. */
export interface FoundCall {
  readonly pbx: string;
  readonly linkedid: string;
  readonly started: number;
  readonly order_key: number | null;
}

/** Sort keys, the lowest first; null (unknown) comes last. */
const ORDER_KEYS: Readonly<Record<CallOrder, string>> = {
  'lowest-score': 'mes',
  'highest-score': '-mes',
  'lowest-minimum': 'mes_min',
  shortest: 'toFloat64(ended_at_ms) - toFloat64(call_started_at_ms)',
  longest: 'toFloat64(call_started_at_ms) - toFloat64(ended_at_ms)',
};

const CALL_CELLS =
  'pbx, linkedid, call_started_at_ms, ended_at_ms, mes, mes_min, verdict, fault_place, ended_by, findings';
const CHANNEL_CELLS = 'pbx, linkedid, uniqueid, endpoint, caller_number, connected_number, device, device_site';

/** The filter's conditions on the row of a call. */
function callTest({
  verdicts,
  faultPlaces,
  enders,
  findings,
  minMes,
  maxMes,
  minDurationS,
  maxDurationS,
}: CallFilter): string {
  const between = (what: string, from: number, to: number): string => `(${what} >= ${from} AND ${what} <= ${to})`;
  return allOf(
    verdicts === undefined ? '' : `verdict IN ${listOf(verdicts)}`,
    faultPlaces === undefined ? '' : `fault_place IN ${listOf(faultPlaces)}`,
    enders === undefined ? '' : `ended_by IN ${listOf(enders)}`,
    findings === undefined
      ? ''
      : `hasAny(splitByChar(' ', ifNull(findings, '')), [${findings.map((word) => `'${word}'`).join(', ')}])`,
    minMes === undefined && maxMes === undefined
      ? ''
      : between('mes', minMes ?? LOWEST_OPINION, maxMes ?? HIGHEST_OPINION),
    minDurationS === undefined && maxDurationS === undefined
      ? ''
      : between(ORDER_KEYS.shortest, (minDurationS ?? 0) * 1000, (maxDurationS ?? 1e9) * 1000),
  );
}

/** The filter's conditions on channels. Each must hold for some channel of the call. */
function channelTests({ endpoints, direction, numbers, party, devices, sites }: CallFilter): string[] {
  const turn = direction === undefined ? '' : `uniqueid ${direction === 'from' ? '=' : '!='} linkedid`;
  const ofNumbers = (texts: readonly string[]): string => textTest(['caller_number', 'connected_number'], texts);
  return [
    ...(endpoints === undefined ? [] : [allOf(textTest(['endpoint'], endpoints), turn)]),
    ...(numbers === undefined ? [] : [ofNumbers(numbers)]),
    ...(devices === undefined ? [] : [textTest(['device'], devices)]),
    ...(sites === undefined ? [] : [textTest(['device_site'], sites)]),
    ...(party === undefined ? [] : [`(${textTest(['endpoint'], party.endpoints)} OR ${ofNumbers(party.numbers)})`]),
  ];
}

/** Finds calls stretch by stretch from the newest on, so that one page reads little. */
export class FleetCallSearch {
  readonly #question: Question;
  readonly #nowMs: number;

  constructor(question: Question, nowMs: number) {
    this.#question = question;
    this.#nowMs = nowMs;
  }

  /** The newest matching calls, at most `most`. */
  async find(filter: CallFilter, cursor: CallCursor | null, most: number, order?: CallOrder): Promise<FoundCall[]> {
    const found: FoundCall[] = [];
    const before = cursor === null ? '' : cursorTest(cursor);
    for (const range of this.#stretches(filter, cursor)) {
      const rows = await this.#question.ask<FoundCall>(
        `SELECT pbx, linkedid, call_started_at_ms AS started, ${order === undefined ? 'NULL' : ORDER_KEYS[order]} AS order_key
        FROM ${this.#fitting(filter, range)} WHERE ${allOf(this.#tests(filter, range), before)}
        ORDER BY call_started_at_ms DESC, linkedid DESC, pbx DESC LIMIT ${most - found.length}`,
      );
      found.push(...rows.toSorted(newestFirst).slice(0, most - found.length));
      if (found.length >= most) break;
    }
    if (order === undefined) return found;
    const keyOf = ({ order_key: key }: FoundCall): number => key ?? Infinity;
    return found.sort((one, other) => (keyOf(one) === keyOf(other) ? 0 : keyOf(one) - keyOf(other)));
  }

  /** Number of matching calls; null: more than `MOST_ORDERED`. */
  async count(filter: CallFilter): Promise<number | null> {
    let count = 0;
    for (const range of this.#stretches(filter, null)) {
      const rows = await this.#question.ask<{ readonly n: number }>(
        `SELECT count() AS n FROM ${this.#fitting(filter, range)} WHERE ${this.#tests(filter, range)}`,
      );
      count += rows.reduce((sum, { n }) => sum + n, 0);
      if (count > MOST_ORDERED) return null;
    }
    return count;
  }

  /** Stretches of the range from the newest on, without gaps. */
  *#stretches({ fromMs = 0, toMs = Infinity }: CallFilter, cursor: CallCursor | null): Generator<TimeRange> {
    let endMs = Math.min(toMs, this.#nowMs + AHEAD_MS, (cursor?.startedAtMs ?? Infinity) + 1);
    // Calls from the future (clocks that are ahead) are few: take them with the first stretch.
    let fromNowMs = Math.min(endMs, this.#nowMs);
    for (let spanMs = FIRST_SPAN_MS; endMs > fromMs; spanMs *= GROWTH) {
      fromNowMs = spanMs > LONGEST_SPAN_MS ? fromMs : Math.max(fromMs, fromNowMs - spanMs);
      yield { fromMs: fromNowMs, toMs: endMs };
      endMs = fromNowMs;
    }
  }

  /** The newest version of each call of which any version matches. */
  #fitting(filter: CallFilter, range: TimeRange): string {
    const test = callTest(filter);
    const sieve =
      test === '1' ? '' : `(pbx, linkedid) IN (SELECT pbx, linkedid FROM ${this.#all('mes_calls', range)} AND ${test})`;
    return this.#question.newest('calls', CALL_CELLS, range, sieve);
  }

  #tests(filter: CallFilter, range: TimeRange): string {
    const ofChannels = channelTests(filter).map(
      (test) =>
        `(pbx, linkedid) IN (SELECT pbx, linkedid FROM ${this.#question.newest(
          'channels',
          CHANNEL_CELLS,
          range,
          `(pbx, linkedid, uniqueid) IN (SELECT pbx, linkedid, uniqueid FROM ${this.#all('mes_channels', range)} AND ${test})`,
        )} WHERE ${test})`,
    );
    const { codecs } = filter;
    if (codecs !== undefined) {
      const test = `codec IN ${listOf(codecs)}`;
      const key = 'pbx, linkedid, uniqueid, direction';
      const sieve = `(${key}) IN (SELECT ${key} FROM ${this.#all('mes_streams', range)} AND ${test})`;
      ofChannels.push(
        `(pbx, linkedid) IN (SELECT pbx, linkedid FROM ${this.#question.newest('streams', `${key}, codec`, range, sieve)} WHERE ${test})`,
      );
    }
    return allOf(
      callTest(filter),
      this.#question.isNoAlias(range),
      ...ofChannels,
      this.#ratingTest(filter, range),
      this.#tagTest(filter, range),
    );
  }

  #ratingTest({ rating }: CallFilter, range: TimeRange): string {
    if (rating === undefined) return '';
    const cells = 'pbx, linkedid, score, issues';
    const rated = `SELECT pbx, assumeNotNull(linkedid) FROM ${this.#question.newest('ratings', cells, range)}`;
    if (rating === 'none') return `(pbx, linkedid) NOT IN (${rated})`;
    const { lowestScore = -Infinity, highestScore = Infinity, issues } = rating;
    const score = Number.isFinite(lowestScore) ? `score >= ${lowestScore} AND score <= ${highestScore}` : '';
    // Issues are stored as a JSON list of words without quotes.
    const any = issues
      ?.map((issue) => `position(ifNull(issues, ''), ${quote(JSON.stringify(issue))}) > 0`)
      .join(' OR ');
    return `(pbx, linkedid) IN (${rated} WHERE ${allOf(score, any === undefined ? '' : `(${any})`)})`;
  }

  #tagTest({ tags }: CallFilter, range: TimeRange): string {
    if (tags === undefined) return '';
    const remarks = this.#question.newest('remarks', 'pbx, linkedid, tag_words', range);
    return `(pbx, linkedid) IN (SELECT pbx, linkedid FROM ${remarks}
      WHERE hasAny(splitByChar(' ', ifNull(tag_words, '')), [${tags.map(quote).join(', ')}]))`;
  }

  #all(table: string, range: TimeRange): string {
    const { database, mine } = this.#question;
    const from = Math.max(0, Math.ceil(range.fromMs));
    return `${database}.${table} WHERE call_started_at_ms >= ${from} AND call_started_at_ms < ${Math.ceil(range.toMs)} AND ${mine}`;
  }
}

function cursorTest({ startedAtMs, linkedid, pbx }: CallCursor): string {
  const sameCall = pbx === undefined ? '' : ` OR (linkedid = ${quote(linkedid)} AND pbx < ${quote(pbx)})`;
  return `(call_started_at_ms < ${startedAtMs} OR (call_started_at_ms = ${startedAtMs} AND (linkedid < ${quote(linkedid)}${sameCall})))`;
}

function newestFirst(one: FoundCall, other: FoundCall): number {
  if (one.started !== other.started) return other.started - one.started;
  if (one.linkedid !== other.linkedid) return one.linkedid < other.linkedid ? 1 : -1;
  return one.pbx < other.pbx ? 1 : -1;
}
