import { z } from 'zod';
import type { HealthView, LiveView } from '../model/ports.ts';
import type { IntervalRecord } from '../model/record.ts';
import type { CallRatings } from '../model/people/rating.ts';
import { AUDIO_STATISTICS, audioStatistics } from './answers/audio-statistics.ts';
import {
  CALLS_ANSWERS,
  CHANNEL,
  HEALTH_ANSWER,
  INTERVALS_ANSWER,
  LIVE_ANSWERS,
  READY_ANSWER,
} from './answers/answers.ts';
import { VOIP_METRICS_ANSWER, voipMetricsAnswer } from './answers/captured.ts';
import { type CallListSources, callsCsv, listCalls, NO_REMARKS, wholePage } from './answers/call-list.ts';
import { intervalsCsv } from './answers/call-row.ts';
import { DOCS_STYLE, docsPage } from './docs-page.ts';
import { LiveList } from './answers/live-list.ts';
import { LIVE_MESSAGE, LIVE_STREAM_PATH } from './live-stream.ts';
import { OPEN_METRICS_TYPE, prefersOpenMetrics } from './open-metrics.ts';
import { openApi } from './openapi.ts';
import {
  CALLS_QUERY,
  ENDPOINTS_QUERY,
  GROUPS_QUERY,
  INTERVALS_QUERY,
  LIVE_QUERY,
  NO_QUERY,
  SUMMARY_QUERY,
} from './parameters.ts';
import { presentCall, presentChannel, presentInterval } from './answers/present.ts';
import { Problem } from './problem.ts';
import { CALL_WITH_RATINGS, presentRated } from './ratings/ratings.ts';
import { MACHINE_STEP_MS, type MachinePeaks, presentMachine } from './machine.ts';
import { presentRemarks } from './remarks.ts';
import { type Route, type RouteRequest, route } from './route.ts';
import { ENDPOINTS_ANSWER, GROUPS_ANSWER, SUMMARY_ANSWER } from './answers/quality.ts';
import { bucketsCsv, endpointsCsv, groupsCsv, listEndpoints, listGroups, summarize } from './answers/quality-list.ts';
import { Chunks, JsonPieces, listPieces } from './gate/chunks.ts';
import { inParts } from './gate/turns.ts';

/** What the routes ask. */
export interface ApiSources extends CallListSources {
  readonly live: LiveView;
  readonly health: HealthView;
  readonly metrics: MetricsText;
  /** What people said of calls; absent: nothing is known of it. */
  readonly ratings?: CallRatingsReader | undefined;
  /** How busy the machine was; absent: nothing is known of it. */
  readonly machine?: MachinePeaks | undefined;
  /** Of capabilities beside the scoring of calls. */
  readonly moreRoutes?: readonly Route[] | undefined;
}

export interface CallRatingsReader {
  ofCall(linkedid: string): Promise<CallRatings>;
}

const NO_RATINGS: CallRatingsReader = { ofCall: async () => ({ ratings: [], requests: [], moments: [] }) };

/** What Prometheus asks for. */
export interface MetricsText {
  readonly contentType: string;
  render(): Promise<string>;
  renderOpenMetrics(): Promise<string>;
}

function known<T>(found: T | null, what: string): T {
  if (found !== null) return found;
  throw new Problem('MES_ERR_NO_SUCH_ID', `no ${what} of this id is known; it may be older than the history is kept`);
}

/** All routes; the same table describes them in openapi.json. */
export function routes(sources: ApiSources): readonly Route[] {
  const { history, health, clock, metrics } = sources;
  const liveList = new LiveList(sources);
  const intervalsOf = async (uniqueid: string, limit?: number): Promise<readonly IntervalRecord[]> => {
    const intervals = known(await history.intervals(uniqueid), 'channel');
    return limit === undefined ? intervals : intervals.slice(-limit);
  };
  const described = [
    route({
      path: '/v1/calls',
      summary: 'Calls that began in [from, to), newest first.',
      query: CALLS_QUERY,
      answer: CALLS_ANSWERS,
      handle: ({ query }) => (sources.isFleet === true ? wholePage(sources, query) : listCalls(sources, query)),
      csv: ({ query }) => callsCsv(sources, query),
    }),
    route({
      path: '/v1/calls/:linkedid',
      summary: 'One call with its channels and their streams; a joined call is found by each of its linkedids.',
      query: NO_QUERY,
      answer: CALL_WITH_RATINGS,
      isFinal: ({ state }) => state === 'ended',
      handle: async ({ id: linkedid }) => {
        const call = known(await history.call(linkedid), 'call');
        const segments = await Promise.all(
          call.channels.map(async ({ uniqueid }) => [uniqueid, await history.segments(uniqueid)] as const),
        );
        const { ratings = NO_RATINGS, remarks = NO_REMARKS } = sources;
        const [rated, remarked] = await Promise.all([ratings.ofCall(call.linkedid), remarks.ofCall(call.linkedid)]);
        const { machine } = sources;
        const peak = machine?.peak({
          fromMs: call.startedAtMs,
          toMs: (call.endedAtMs ?? clock.nowMs()) + MACHINE_STEP_MS,
        });
        const intervals = await Promise.all(
          // Reports are read only where somebody marked a moment among them.
          (rated.moments.length === 0 ? [] : call.channels).map(
            async ({ uniqueid }) => [uniqueid, (await history.intervals(uniqueid)) ?? []] as const,
          ),
        );
        return {
          ...presentCall(call, clock.nowMs(), new Map(segments)),
          ...presentRated(rated, new Map(intervals)),
          ...presentRemarks(remarked),
          machine: presentMachine((await peak) ?? null),
        };
      },
    }),
    route({
      path: '/v1/channels/:uniqueid',
      summary: 'One channel with its streams.',
      query: NO_QUERY,
      answer: CHANNEL,
      handle: async ({ id: uniqueid }) => {
        const channel = known(await history.channel(uniqueid), 'channel');
        return presentChannel(channel, clock.nowMs(), await history.segments(uniqueid));
      },
    }),
    route({
      path: '/v1/channels/:uniqueid/audio-statistics',
      summary: "A channel's audio statistics, of the RTP session that it is in or was in last; 0 is not available.",
      query: NO_QUERY,
      answer: AUDIO_STATISTICS,
      handle: async ({ id: uniqueid }) => {
        const channel = known(await history.channel(uniqueid), 'channel');
        return audioStatistics(channel, await history.segments(uniqueid));
      },
    }),
    route({
      path: '/v1/channels/:uniqueid/voip-metrics',
      summary: 'RFC 3611 metrics of both directions of a channel, and the block; where none was captured, why.',
      query: NO_QUERY,
      answer: VOIP_METRICS_ANSWER,
      handle: async ({ id: uniqueid }) =>
        voipMetricsAnswer(known(await history.channel(uniqueid), 'channel'), health.health().capture),
    }),
    route({
      path: '/v1/channels/:uniqueid/intervals',
      summary: 'Every report about a channel, oldest first; with limit the last ones.',
      query: INTERVALS_QUERY,
      answer: INTERVALS_ANSWER,
      handle: async ({ query: { limit }, id: uniqueid }) => {
        const intervals = await intervalsOf(uniqueid, limit);
        if (sources.isFleet === true) return { intervals: await inParts(intervals, presentInterval) };
        return new JsonPieces(listPieces('intervals', intervals, presentInterval));
      },
      csv: async ({ query: { limit }, id: uniqueid }) => intervalsCsv(await intervalsOf(uniqueid, limit)),
    }),
    route({
      path: '/v1/live',
      summary: 'The channels that are up now, the oldest first; at most half a second old.',
      query: LIVE_QUERY,
      answer: LIVE_ANSWERS,
      handle: ({ query }) => liveList.answer(query),
    }),
    route({
      path: LIVE_STREAM_PATH,
      summary: 'The same pushed over a web socket: all channels first, then what changes, at most twice a second.',
      query: NO_QUERY,
      answer: LIVE_MESSAGE,
      handle: () => {
        throw new Problem(
          'MES_ERR_WEB_SOCKET_ONLY',
          'this address is a web socket; the same for a plain request is at /v1/live',
        );
      },
    }),
    route({
      path: '/v1/endpoints',
      summary:
        'How calls that began in [from, to) went by endpoint or trunk, the worst first; the last day by default. Of endpoints that are named also their trends, by the hour by default.',
      query: ENDPOINTS_QUERY,
      answer: ENDPOINTS_ANSWER,
      handle: ({ query }) => listEndpoints(sources, query),
      csv: async ({ query }) => endpointsCsv(await listEndpoints(sources, query)),
    }),
    ...groupRoutes(sources),
    route({
      path: '/v1/summary',
      summary: 'The same over time, of all calls or of one endpoint; by the hour by default.',
      query: SUMMARY_QUERY,
      answer: SUMMARY_ANSWER,
      handle: ({ query }) => summarize(sources, query),
      csv: async ({ query }) => bucketsCsv(await summarize(sources, query)),
    }),
    route({
      path: '/healthz',
      summary: 'Whether the process serves at all.',
      access: 'open',
      query: NO_QUERY,
      answer: HEALTH_ANSWER,
      handle: () => {
        const { capture, counters } = health.health();
        return { status: 'ok' as const, capture: { ...capture }, counters: { ...counters } };
      },
    }),
    route({
      path: '/readyz',
      summary: 'Whether calls are scored and remembered: Asterisk connected, history writable.',
      query: NO_QUERY,
      answer: READY_ANSWER,
      handle: () => {
        const report = health.health();
        const reasons = [
          report.amiConnected ? [] : [report.amiProblem ?? 'there is no connection to Asterisk (AMI)'],
          report.historyWritable ? [] : [report.historyProblem ?? 'the history cannot be written'],
        ].flat();
        if (reasons.length > 0) throw new Problem('MES_ERR_NOT_READY', reasons.join('; '));
        return {
          status: 'ready' as const,
          ari_connected: report.ariConnected,
          asterisk_version: report.asteriskVersion,
        };
      },
    }),
    route({
      path: '/metrics',
      summary: 'For Prometheus: scores of the channels that ended, and how the sidecar itself is.',
      query: NO_QUERY,
      answer: z.string(),
      type: metrics.contentType,
      otherType: {
        type: OPEN_METRICS_TYPE,
        isPreferredBy: prefersOpenMetrics,
        handle: () => metrics.renderOpenMetrics(),
      },
      handle: () => metrics.render(),
    }),
    ...(sources.moreRoutes ?? []),
  ];
  return [...described, ...documentRoutes(described)];
}

const DOCS_PATH = '/docs';
const NO_REQUEST: RouteRequest = { query: {}, id: '', body: undefined, reader: null, languages: undefined };

/** Makes the description of these routes now: that takes up to a tenth of a second, for which a hang-up would wait later. */
export function makeDescription(table: readonly Route[]): void {
  void table.find(({ path }) => path === DOCS_PATH)?.handle(NO_REQUEST);
}

/** The addresses that describe these routes. */
export function documentRoutes(described: readonly Route[]): readonly Route[] {
  let made: { readonly json: Chunks; readonly page: Chunks } | undefined;
  const documents = (): { readonly json: Chunks; readonly page: Chunks } => {
    if (made !== undefined) return made;
    const description = openApi(described);
    const asChunks = (text: string): Chunks => new Chunks([Buffer.from(text)]);
    return (made = { json: asChunks(JSON.stringify(description)), page: asChunks(docsPage(description)) });
  };
  return [
    route({
      path: '/openapi.json',
      summary: 'This description.',
      query: NO_QUERY,
      answer: z.record(z.string(), z.unknown()),
      handle: async () => documents().json,
    }),
    route({
      path: DOCS_PATH,
      summary: 'The same for people.',
      // It holds nothing of any call, and a browser that opens a link sends no token.
      access: 'open',
      query: NO_QUERY,
      answer: z.string(),
      type: 'text/html; charset=utf-8',
      handle: async () => documents().page,
    }),
    route({
      path: '/docs/style.css',
      summary: 'How that page looks.',
      access: 'open',
      query: NO_QUERY,
      answer: z.string(),
      type: 'text/css; charset=utf-8',
      handle: () => DOCS_STYLE,
    }),
  ];
}

/** Of a history that knows them. */
function groupRoutes({ history, clock }: ApiSources): Route[] {
  const groups = history.groups?.bind(history);
  if (groups === undefined) return [];
  return [
    route({
      path: '/v1/groups',
      summary:
        'How calls that began in [from, to) went by device, site or codec, the worst first; the last day by default.',
      query: GROUPS_QUERY,
      answer: GROUPS_ANSWER,
      handle: ({ query }) => listGroups(groups, clock, query),
      csv: async ({ query }) => groupsCsv(await listGroups(groups, clock, query)),
    }),
  ];
}
