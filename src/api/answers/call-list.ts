import type { z } from 'zod';
import type {
  CallCursor,
  CallFilter,
  CallListing,
  CallPage,
  CallWithChannels,
  Clock,
  HistoryReader,
} from '../../model/ports.ts';
import type { CALLS_ANSWERS } from './answers.ts';
import { CALL_COLUMNS, callRow, PBX_COLUMNS } from './call-row.ts';
import { begun, csvLine, csvLines } from './csv.ts';
import { type CALLS_QUERY, DEFAULT_LIMIT, encodeCursor, MOST_LIMIT } from '../parameters.ts';
import { orderOf } from '../call-order.ts';
import { momentMs } from '../../units/moment.ts';
import { presentCall, presentCallSummary } from './present.ts';
import { Problem } from '../problem.ts';
import { JsonPieces } from '../gate/chunks.ts';
import { inParts } from '../gate/turns.ts';
import type { RemarksReader } from '../remarks.ts';

/** Copied from the history's thread at a time, which takes the main thread some milliseconds; asked of a fleet's ClickHouse. */
const CALLS_AT_ONCE = { ofPbx: 50, ofFleet: MOST_LIMIT } as const;

type CallsQuery = z.output<typeof CALLS_QUERY>;

/** Where a list of calls comes from. */
export interface CallListSources {
  readonly history: HistoryReader;
  readonly clock: Clock;
  /** The stored form of a number that is searched for; absent: the number itself. */
  readonly storedNumber?: ((number: string) => string) | undefined;
  /** The stored form of a text that may hold a number; absent: the text itself. */
  readonly storedText?: ((text: string) => string) | undefined;
  /**
   * The stored form of an endpoint that is searched for; undefined: nothing can be stored under it. Absent: the endpoint
   * itself.
   */
  readonly storedEndpoint?: ((endpoint: string) => string | undefined) | undefined;
  /** Notes and tags of calls; absent: this history has none. */
  readonly remarks?: RemarksReader | undefined;
  /** True: the calls are of many PBXs. */
  readonly isFleet?: boolean | undefined;
}

export const NO_REMARKS: RemarksReader = {
  ofCall: async () => ({ notes: [], tags: [] }),
  tagsOf: async () => new Map(),
};

/** Technologies that are tried in front of a bare name such as `214`. */
const TECHNOLOGIES = ['PJSIP', 'SIP', 'IAX2', 'DAHDI', 'SCCP', 'Skinny', 'MGCP', 'Motif', 'OOH323'] as const;

/** The stored form of a number; undefined when masking leaves only stars, which would be taken for "begins with anything". */
function storedForm(number: string, { storedNumber }: CallListSources): string | undefined {
  const stored = storedNumber?.(number) ?? number;
  return stored.endsWith('*') && !number.endsWith('*') ? undefined : stored;
}

function storedForms(numbers: readonly string[], sources: CallListSources): string[] {
  return numbers.map((number) => {
    const stored = storedForm(number, sources);
    if (stored !== undefined) return stored;
    throw contradiction('number', 'masked numbers this short are all alike; give a longer one');
  });
}

/** The stored form of an endpoint. Throws Problem for a prefix that cuts a hidden number. */
export function storedEndpoint(
  parameter: string,
  endpoint: string,
  { storedEndpoint: stored }: Pick<CallListSources, 'storedEndpoint'>,
): string {
  const found = stored === undefined ? endpoint : stored(endpoint);
  if (found !== undefined) return found;
  throw contradiction(parameter, 'numbers are hidden here, and the beginning of one finds nothing; give it whole');
}

function partyFilter(party: string, sources: CallListSources): CallFilter['party'] {
  if (party.includes('/')) return { endpoints: [storedEndpoint('party', party, sources)], numbers: [] };
  const number = storedForm(party, sources);
  const endpoints = [party, ...TECHNOLOGIES.map((technology) => `${technology}/${party}`)];
  return {
    endpoints: endpoints.map((name) => storedEndpoint('party', name, sources)),
    numbers: number === undefined ? [] : [number],
  };
}

function contradiction(name: string, detail: string): Problem {
  return new Problem('MES_ERR_PARAMETER_VALUE', `parameter ${name}: ${detail}`, name);
}

function checkRange(name: string, low: number | undefined, highName: string, high: number | undefined): void {
  if (low === undefined || high === undefined || low <= high) return;
  throw contradiction(name, `it is above ${highName}; give a lower one`);
}

function callFilter(query: CallsQuery, nowMs: number, sources: CallListSources): CallFilter {
  const { from, to, endpoint, direction, max_mes: maxMes, min_mes: minMes } = query;
  const { min_duration_s: minDurationS, max_duration_s: maxDurationS } = query;
  const fromMs = from && momentMs(from, nowMs);
  const toMs = to && momentMs(to, nowMs);
  if (fromMs !== undefined && toMs !== undefined && fromMs > toMs) {
    throw contradiction('from', 'it is later than to; give an earlier time');
  }
  checkRange('min_mes', minMes, 'max_mes', maxMes);
  checkRange('min_duration_s', minDurationS, 'max_duration_s', maxDurationS);
  if (direction !== undefined && endpoint === undefined) {
    throw contradiction('direction', 'it says what an endpoint did; give endpoint as well');
  }
  return {
    fromMs,
    toMs,
    endpoints: endpoint,
    direction,
    codecs: query.codec,
    devices: query.device,
    sites: query.site,
    numbers: query.number && storedForms(query.number, sources),
    party: query.party === undefined ? undefined : partyFilter(query.party, sources),
    // Search for both the tag and its form with hidden numbers.
    tags: query.tag?.flatMap((tag) => [...new Set([tag, sources.storedText?.(tag) ?? tag])]),
    verdicts: query.verdict,
    rating: ratingFilter(query),
    faultPlaces: query.fault_place,
    enders: query.ended_by,
    findings: query.finding,
    maxMes,
    minMes,
    minDurationS,
    maxDurationS,
  };
}

function ratingFilter({ rated, rating, issue }: CallsQuery): CallFilter['rating'] {
  if (rated !== false) return (rated ?? rating ?? issue) ? { ...rating, issues: issue } : undefined;
  if (rating === undefined && issue === undefined) return 'none';
  throw contradiction('rated', 'calls that nobody rated have no rating and no issue; leave them out, or give yes');
}

interface Listed {
  readonly filter: CallFilter;
  readonly listing: CallListing;
}

function listed(sources: CallListSources, query: CallsQuery, nowMs: number): Listed {
  const filter = callFilter(query, nowMs, sources);
  const order = orderOf(query.sort);
  if (order !== undefined && query.cursor !== undefined) {
    throw contradiction('cursor', 'sorted calls have one page; leave out cursor, or sort');
  }
  return { filter, listing: { order, isCounted: query.count !== undefined } };
}

/** The calls of a page, some at a time, so that few are in memory. Those in another order than the newest first come at once. */
async function* partsOfPage(
  { history, isFleet = false }: CallListSources,
  { filter, listing }: Listed,
  limit: number,
  cursor: CallCursor | null,
): AsyncGenerator<CallPage> {
  const atOnce = listing.order !== undefined ? limit : isFleet ? CALLS_AT_ONCE.ofFleet : CALLS_AT_ONCE.ofPbx;
  let left = limit;
  let next = cursor;
  for (let asked = listing; ; asked = {}) {
    const page = await history.calls(filter, Math.min(left, atOnce), next, asked);
    ({ next } = page);
    left -= page.calls.length;
    yield page;
    if (next === null || left <= 0) return;
  }
}

/** One page of calls as JSON, made call by call. Throws Problem when the query contradicts itself. */
export function listCalls(sources: CallListSources, query: CallsQuery): JsonPieces {
  const nowMs = sources.clock.nowMs();
  const asked = listed(sources, query, nowMs);
  const pieces = async function* (): AsyncGenerator<string> {
    let before = '{"calls":[';
    let rest: object = {};
    for await (const page of partsOfPage(sources, asked, query.limit ?? DEFAULT_LIMIT, query.cursor ?? null)) {
      const tags = await tagsOf(sources, page.calls);
      for (const call of page.calls) {
        yield `${before}${JSON.stringify(presented(call, query, nowMs, tags))}`;
        before = ',';
      }
      rest = { ...rest, ...endOf(page) };
    }
    yield `${before === ',' ? '' : before}],${JSON.stringify(rest).slice(1)}`;
  };
  return new JsonPieces(pieces());
}

/** The same as an object, for whoever adds to it. */
export async function wholePage(sources: CallListSources, query: CallsQuery): Promise<z.output<typeof CALLS_ANSWERS>> {
  const nowMs = sources.clock.nowMs();
  const { filter, listing } = listed(sources, query, nowMs);
  const page = await sources.history.calls(filter, query.limit ?? DEFAULT_LIMIT, query.cursor ?? null, listing);
  const tags = await tagsOf(sources, page.calls);
  return { calls: await inParts(page.calls, (call) => presented(call, query, nowMs, tags)), ...endOf(page) };
}

function presented(
  call: CallWithChannels,
  { fields }: CallsQuery,
  nowMs: number,
  tags: (call: CallWithChannels) => string[],
): z.output<typeof CALLS_ANSWERS>['calls'][number] & { tags: string[] } {
  const shown = fields === 'summary' ? presentCallSummary(call, nowMs) : presentCall(call, nowMs);
  return { ...shown, tags: tags(call) };
}

function endOf({ next, matching }: CallPage): Pick<z.output<typeof CALLS_ANSWERS>, 'next_cursor' | 'matching'> {
  return { next_cursor: next === null ? null : encodeCursor(next), ...(matching === undefined ? {} : { matching }) };
}

/** The tags of calls, by linkedid. */
async function tagsOf(
  { remarks = NO_REMARKS }: CallListSources,
  calls: readonly CallWithChannels[],
): Promise<(call: CallWithChannels) => string[]> {
  const known = await remarks.tagsOf(calls.map(({ linkedid }) => linkedid));
  return ({ linkedid }) => [...(known.get(linkedid) ?? [])];
}

/**
 * Calls as CSV, piece by piece: all matching calls, or as many as the limit says. Rejects with Problem when the query
 * contradicts itself.
 */
export async function callsCsv(sources: CallListSources, query: CallsQuery): Promise<AsyncIterable<string>> {
  const nowMs = sources.clock.nowMs();
  const asked = listed(sources, query, nowMs);
  const columns = sources.isFleet === true ? [...PBX_COLUMNS, ...CALL_COLUMNS] : CALL_COLUMNS;
  const linesOf = async ({ calls }: CallPage): Promise<string> => {
    const tags = await tagsOf(sources, calls);
    const lineOf = (call: CallWithChannels): string =>
      csvLines(columns, [{ ...callRow(call, nowMs), tags: tags(call) }]);
    return (await inParts(calls, lineOf)).join('');
  };
  const pieces = async function* (): AsyncGenerator<string> {
    let before = csvLine(columns);
    const limit = query.limit ?? Number.MAX_SAFE_INTEGER;
    for await (const page of partsOfPage(sources, asked, limit, query.cursor ?? null)) {
      yield before + (await linesOf(page));
      before = '';
    }
  };
  return begun(pieces());
}
