import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { alertRoutes } from '../../../src/api/alerts/alerts.ts';
import { LiveStream } from '../../../src/api/live-stream.ts';
import { Metrics } from '../../../src/api/metrics.ts';
import { buildApi, type ApiOptions } from '../../../src/api/server.ts';
import type { Route } from '../../../src/api/route.ts';
import type { CompanionContext } from '../../../src/app/companions/companion.ts';
import { openHistory, type History } from '../../../src/history/history.ts';
import type { HealthReport } from '../../../src/model/ports.ts';
import type { ChannelRecord } from '../../../src/model/record.ts';
import { START_MS } from '../history/records.ts';

/** Of /metrics; two of them are patterns, one is `other`. */
export const MOST_GROUPS = 20;
export const NOW_MS = START_MS + 3_600_000;

export const WELL: HealthReport = {
  amiConnected: true,
  amiProblem: null,
  ariConnected: null,
  historyWritable: true,
  historyProblem: null,
  asteriskVersion: '22.10.1',
  databaseBytes: 1_048_576,
  capture: { status: 'off', problem: null },
  counters: { rtcp_events: 12, dropped: 0 },
};

/** The API on a loopback port of its own, over a real history in a temporary folder. */
export interface TestServer {
  readonly api: FastifyInstance;
  readonly history: History;
  readonly port: number;
  readonly liveStream: LiveStream;
  readonly metrics: Metrics;
  live: ChannelRecord[];
  health: HealthReport;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  close(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

export interface TestServerOptions extends Pick<
  ApiOptions,
  | 'token'
  | 'logger'
  | 'files'
  | 'storedNumber'
  | 'storedText'
  | 'storedEndpoint'
  | 'unreadMs'
  | 'moreRoutes'
  | 'answers'
> {
  /** How long a client of the live stream may be silent; a tenth of the real span when not given. */
  readonly silenceMs?: number;
  /** Of a capability, over the server's own history. */
  readonly routesOf?: (context: Pick<CompanionContext, 'history' | 'clock' | 'calls'>) => readonly Route[];
  /** A history that is there already, and stays. */
  readonly historyPath?: string;
}

/** Spans of the live stream are a tenth of the real ones. */
export async function startServer({
  silenceMs = 1500,
  historyPath,
  routesOf,
  ...options
}: TestServerOptions = {}): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'mes-api-'));
  const clock = { nowMs: () => NOW_MS };
  const yearMs = 365 * 86_400_000;
  const history = await openHistory({
    path: historyPath ?? join(folder, 'mes.sqlite'),
    keepIntervalsMs: yearMs,
    keepCallsMs: yearMs,
    clock,
  });
  const state: { live: ChannelRecord[]; health: HealthReport } = { live: [], health: WELL };
  let last = -1;
  const live = {
    get liveCount() {
      return state.live.length;
    },
    liveUniqueids: () => state.live.map(({ uniqueid }) => uniqueid),
    liveChannel: (uniqueid: string) => {
      // Whoever asks goes through them in their order.
      for (let n = 0; n < state.live.length; n++) {
        last = (last + 1) % state.live.length;
        const channel = state.live[last];
        if (channel?.uniqueid === uniqueid) return channel;
      }
      return null;
    },
    liveMedia: (uniqueid: string) => live.liveChannel(uniqueid),
  };
  const liveStream = new LiveStream({ live, clock, gapMs: 50, heartbeatMs: 500, silenceMs });
  const health = { health: () => state.health };
  const endpointPatterns = ['PJSIP/trunk*', 'PJSIP/alice'];
  const metrics = new Metrics({ endpointPatterns, mostGroups: MOST_GROUPS, live, health, version: '1.2.3' });
  const moreRoutes = [...(options.moreRoutes ?? []), ...(routesOf?.({ history, clock, calls: history }) ?? [])];
  const hasAlerts = moreRoutes.some(({ path }) => path === '/v1/alerts');
  const noAlerts = alertRoutes({ list: async () => [], one: async () => null, rules: [] }, clock).slice(0, 1);
  const api = buildApi({
    history,
    clock,
    live,
    liveStream,
    health,
    metrics,
    remarks: {
      ofCall: (linkedid) => history.features.read('remarks', 'ofCall', linkedid),
      tagsOf: (linkedids) => history.features.read('remarks', 'tagsOf', linkedids),
    },
    ...options,
    // Every page asks for them.
    moreRoutes: hasAlerts ? moreRoutes : [...noAlerts, ...moreRoutes],
  });
  const origin = await api.listen({ host: '127.0.0.1', port: 0 });
  return Object.assign(state, {
    api,
    history,
    liveStream,
    metrics,
    port: Number(new URL(origin).port),
    get: async (path: string, headers: Record<string, string> = {}) => {
      const response = await fetch(`${origin}${path}`, { headers });
      const isJson = response.headers.get('content-type')?.includes('json') === true;
      const body: unknown = isJson ? await response.json() : await response.text();
      return { status: response.status, headers: response.headers, body };
    },
    close: async () => {
      await api.close();
      await history.close();
      await rm(folder, { recursive: true });
    },
  });
}
