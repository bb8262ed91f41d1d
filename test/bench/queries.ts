import { statSync } from 'node:fs';
import { join } from 'node:path';
import { encodeCursor, MOST_TRENDS } from '../../src/api/parameters.ts';
import { seededRandom } from '../lab/network-profile.ts';
import { ratingRoutes } from '../../src/api/ratings/ratings.ts';
import { summaryRoute } from '../../src/api/ratings/summary.ts';
import type { Route } from '../../src/api/route.ts';
import type { CompanionContext } from '../../src/app/companions/companion.ts';
import type { RatingService } from '../../src/model/people/rating.ts';
import { LAB_HOME } from '../lab/paths.ts';
import { NOW_MS, startServer, type TestServer } from '../unit/api/server.ts';
import { makeHistory, RARE, SPAN_MS } from './history-maker.ts';
import { type Output, quantile } from './output.ts';

export const DEFAULT_CALLS = 1_000_000;
const INTERVALS_PER_CALL = 10;
const WANTED_P95_MS = 50;
const RUNS = 40;
const SEED = 1;
const MONTH = { from: new Date(NOW_MS - SPAN_MS).toISOString(), to: new Date(NOW_MS).toISOString() };

/** A request, another one each time where a moment is chosen by chance. */
type Question = (random: () => number) => string;

function address(path: string, parameters: Readonly<Record<string, string>>): string {
  return `${path}?${new URLSearchParams(parameters).toString()}`;
}

function calls(parameters: Readonly<Record<string, string>>): Question {
  return () => address('/v1/calls', parameters);
}

/** A month, or so long, that begins and ends in the middle of an hour. */
function someMonth(random: () => number, spanMs = SPAN_MS): { from: string; to: string } {
  const toMs = NOW_MS - Math.floor(random() * SPAN_MS * 0.1);
  return { from: new Date(toMs - spanMs).toISOString(), to: new Date(toMs).toISOString() };
}

function trend(bucket: string, parameters: Readonly<Record<string, string>> = {}): Question {
  return (random) => address('/v1/summary', { ...someMonth(random), bucket, ...parameters });
}

/** As many endpoints as one answer has with their trends, the busiest among them. */
const NAMES = Array.from({ length: MOST_TRENDS }, (_, n) => (n < 8 ? `PJSIP/trunk-${n}` : `PJSIP/phone-${n}`));

function trends(days: number, bucket: string): Question {
  const names = NAMES.map((name) => `&endpoint=${encodeURIComponent(name)}`).join('');
  return (random) => address('/v1/endpoints', { ...someMonth(random, days * 86_400_000), bucket }) + names;
}

const QUESTIONS: Readonly<Record<string, Question>> = {
  'the newest calls': calls({}),
  'calls before any moment': (random) => address('/v1/calls', { to: someMoment(random) }),
  'a page in the middle': (random) =>
    address('/v1/calls', {
      cursor: encodeCursor({ startedAtMs: Date.parse(someMoment(random)), linkedid: '1' }),
    }),
  'endpoint: a phone': calls({ endpoint: 'PJSIP/phone-17' }),
  'endpoint: a trunk': calls({ endpoint: 'PJSIP/trunk-3' }),
  'endpoint: seldom': calls({ endpoint: RARE.endpoint }),
  'endpoint: unknown': calls({ endpoint: 'PJSIP/nobody' }),
  'endpoint: PJSIP/*': calls({ endpoint: 'PJSIP/*' }),
  'endpoint: PJSIP/phone-1*': calls({ endpoint: 'PJSIP/phone-1*' }),
  'endpoint: PJSIP/sel*': calls({ endpoint: 'PJSIP/sel*' }),
  'party: an extension': calls({ party: '1017' }),
  'party: unknown': calls({ party: '4711' }),
  'endpoint: two trunks, calls that they got': calls({ endpoint: 'PJSIP/trunk-3,PJSIP/trunk-4', direction: 'to' }),
  'codec: frequent': calls({ codec: 'alaw' }),
  'codec: seldom': calls({ codec: RARE.codec }),
  'verdict: good': calls({ verdict: 'good' }),
  'verdict: bad': calls({ verdict: 'bad' }),
  'verdict: bad or worse': calls({ verdict: 'bad-or-worse' }),
  'verdict: bad or worse, counted': calls({ verdict: 'bad-or-worse', count: 'yes', fields: 'summary' }),
  'verdict: any one way': calls({ verdict: 'any-one-way' }),
  'verdict: bad or worse, score up to 3, the worst first': calls({
    verdict: 'bad-or-worse',
    max_mes: '3',
    sort: 'mes',
  }),
  'fault: this server': calls({ fault_place: 'this-server' }),
  'fault: none (most calls)': calls({ fault_place: 'none' }),
  'fault: a network, a trunk': calls({ fault_place: 'caller-network,callee-network', endpoint: 'PJSIP/trunk-3' }),
  'ended by the caller (half of the calls)': calls({ ended_by: 'caller' }),
  'ended by this server': calls({ ended_by: 'server' }),
  'ended by this server, a phone, bad': calls({ ended_by: 'server', endpoint: 'PJSIP/phone-3', verdict: 'bad' }),
  'echo or noise': calls({ finding: 'echo,noisy' }),
  'echo, a trunk, the fault at this server (none)': calls({
    finding: 'echo',
    endpoint: 'PJSIP/trunk-3',
    fault_place: 'this-server',
  }),
  'rated: yes': calls({ rated: 'yes' }),
  'rated: no': calls({ rated: 'no' }),
  'rating up to 2, counted': calls({ rating: '<=2', count: 'yes' }),
  'rating: 2 with an echo (none)': calls({ rating: '2', issue: 'echo_of_me' }),
  'rated badly, measured good': calls({ rating: '<=2', verdict: 'good' }),
  'longer than 10 minutes': calls({ min_duration_s: '600' }),
  'from 80 to 100 seconds': calls({ min_duration_s: '80', max_duration_s: '100' }),
  'from 95 to 100 seconds (none)': calls({ min_duration_s: '95', max_duration_s: '100' }),
  'tag: every twentieth call': calls({ tag: 'seen' }),
  'tag: unknown': calls({ tag: 'unseen' }),
  'tag, bad or worse, longer than a minute': calls({ tag: 'seen', verdict: 'bad-or-worse', min_duration_s: '60' }),
  'device: Yealink*, site: Berlin': calls({ device: 'Yealink*', site: 'Berlin' }),
  'device: unknown': calls({ device: 'Snom*' }),
  'a day, the longest first': calls({ from: '-24h', sort: '-duration_s', count: 'yes' }),
  'verdict: seldom': calls({ verdict: RARE.verdict }),
  'score up to 1.2 (one day only)': calls({ max_mes: '1.2' }),
  'score up to 1.05 (none)': calls({ max_mes: '1.05' }),
  'score up to 3': calls({ max_mes: '3' }),
  'score 4.2 to 4.3': calls({ min_mes: '4.2', max_mes: '4.3' }),
  'number: a caller': calls({ number: '+49300007919' }),
  'number: an extension': calls({ number: '1017' }),
  'number: unknown': calls({ number: '+44' }),
  'number: +49*': calls({ number: '+49*' }),
  'number: +4930000*': calls({ number: '+4930000*' }),
  'number: +49300007*': calls({ number: '+49300007*' }),
  'number: +1*': calls({ number: '+1*' }),
  'a phone and a codec that it never has': calls({ endpoint: 'PJSIP/phone-0', codec: RARE.codec }),
  'a phone, bad': calls({ endpoint: 'PJSIP/phone-*', verdict: 'bad' }),
  'verdict and score that exclude each other': calls({ verdict: 'good', max_mes: '3' }),
  'bad, opus, any month': (random) => address('/v1/calls', { ...someMonth(random), verdict: 'bad', codec: 'opus' }),
  'everything at once': calls({
    ...MONTH,
    endpoint: 'PJSIP/trunk-*',
    codec: 'g722',
    verdict: 'poor',
    number: '10*',
    min_mes: '3.2',
    max_mes: '3.5',
  }),
  'devices of 30 days': (random) => address('/v1/groups', { ...someMonth(random), by: 'device' }),
  'sites of the last day': () => '/v1/groups?from=-24h&by=site',
  'codecs of 30 days': (random) => address('/v1/groups', { ...someMonth(random), by: 'codec' }),
  'ratings, newest first': () => '/v1/ratings',
  'ratings of 30 days with an echo': () => address('/v1/ratings', { ...MONTH, issue: 'echo_of_me' }),
  'ratings of 30 days in sum': () => address('/v1/ratings/summary', MONTH),
  'ranking over 30 days': (random) => address('/v1/endpoints', someMonth(random)),
  'ranking of the last 30 days': () => address('/v1/endpoints', MONTH),
  'ranking of the last 24 hours': () => '/v1/endpoints?from=-24h',
  'trends of 25 endpoints over 30 days by day': trends(30, '1d'),
  'trends of 25 endpoints over 7 days by 6 hours': trends(7, '6h'),
  'trends of 25 endpoints over 24 hours by hour': trends(1, '1h'),
  'trends of 25 endpoints over an hour by 5 min.': trends(1 / 24, '5m'),
  'trend over 30 days by day': trend('1d'),
  'trend over 30 days by hour': trend('1h'),
  'trend of a trunk by day': trend('1d', { endpoint: 'PJSIP/trunk-3' }),
  'trend of a trunk by hour': trend('1h', { endpoint: 'PJSIP/trunk-3' }),
  'trend of PJSIP/trunk-* by day': trend('1d', { endpoint: 'PJSIP/trunk-*' }),
  'trend of PJSIP/* by day': trend('1d', { endpoint: 'PJSIP/*' }),
  'trend of the last hour by 2 minutes': () => '/v1/summary?from=-1h&bucket=2m',
};

function someMoment(random: () => number): string {
  return new Date(NOW_MS - Math.floor(random() * SPAN_MS)).toISOString();
}

/** What REST answers of ratings. */
function ratingQuestions({ history: { features }, clock }: Pick<CompanionContext, 'history' | 'clock'>): Route[] {
  const service: RatingService = {
    rate: () => Promise.reject(new Error('nobody rates here')),
    list: (filter, limit, cursor) => features.read('ratings', 'list', { filter, limit, cursor }),
    answered: (fromMs, toMs) => features.read('ratings', 'answered', { fromMs, toMs }),
    summary: (fromMs, toMs) => features.read('ratings', 'summary', { fromMs, toMs }),
  };
  return [...ratingRoutes(service, clock), summaryRoute(service, clock)];
}

interface Line {
  readonly question: string;
  readonly p50_ms: number;
  readonly p95_ms: number;
  readonly max_ms: number;
  /** Rows of the first answer. */
  readonly rows: number;
}

/**
 * Asks REST over HTTP, one question after the other, on a history of so many calls in SQLite. It is built in `.lab/` when
 * it is not there. Fails when the 95th percentile of any question is 50 ms or more.
 */
export async function run(output: Output, numberOfCalls = DEFAULT_CALLS): Promise<void> {
  const path = join(LAB_HOME, 'bench', `history-${numberOfCalls}.sqlite`);
  output.say(`${numberOfCalls} calls, ${numberOfCalls * INTERVALS_PER_CALL} intervals in ${path}`);
  const startMs = performance.now();
  if (makeHistory(path, { calls: numberOfCalls, endMs: NOW_MS, withIntervals: true })) {
    output.say(`built in ${((performance.now() - startMs) / 1000).toFixed(0)} s`);
  }
  const megabytes = Math.round(statSync(path).size / 1e6);
  output.say(`${megabytes} MB; each question ${RUNS} times\n`);
  const server = await startServer({ historyPath: path, routesOf: ratingQuestions });
  const lines: Line[] = [];
  try {
    for (const [question, ask] of Object.entries(QUESTIONS)) {
      const line = await measure(server, question, ask);
      lines.push(line);
      const { p50_ms: p50, p95_ms: p95, max_ms: max, rows } = line;
      const figures = [p50, p95, max].map((ms) => ms.toFixed(1).padStart(8)).join('');
      output.say(`${question.padEnd(46)}${figures} ms  ${rows} rows${p95 < WANTED_P95_MS ? '' : '  TOO SLOW'}`);
    }
  } finally {
    await server.close();
  }
  const slow = lines.filter(({ p95_ms: p95 }) => p95 >= WANTED_P95_MS).length;
  output.say(
    `\n(median, 95th percentile, longest) ${slow === 0 ? 'all' : lines.length - slow} under ${WANTED_P95_MS} ms`,
  );
  output.result({
    calls: numberOfCalls,
    database_mb: megabytes,
    runs: RUNS,
    wanted_p95_ms: WANTED_P95_MS,
    questions: lines,
  });
  if (slow > 0) process.exitCode = 1;
}

async function measure(server: TestServer, question: string, ask: Question): Promise<Line> {
  const random = seededRandom(SEED);
  const times: number[] = [];
  let rows = 0;
  for (let turn = -1; turn < RUNS; turn++) {
    const path = ask(random);
    const startMs = performance.now();
    const { status, body } = await server.get(path);
    // The first one is not counted: it reads what the later ones have in memory.
    if (turn >= 0) times.push(performance.now() - startMs);
    if (status !== 200) throw new Error(`${path} is answered with ${status}: ${JSON.stringify(body)}`);
    const lists = Object.values(body as object).filter((value) => Array.isArray(value));
    if (turn < 0) rows = lists[0]?.length ?? 0;
  }
  const [p50, p95] = [quantile(times, 0.5), quantile(times, 0.95)];
  return { question, p50_ms: p50, p95_ms: p95, max_ms: Math.max(...times), rows };
}
