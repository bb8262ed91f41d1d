import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { alertRoutes } from '../../../src/api/alerts/alerts.ts';
import { Metrics } from '../../../src/api/metrics.ts';
import { buildApi } from '../../../src/api/server.ts';
import type { Companion, CompanionContext } from '../../../src/app/companions/companion.ts';
import { ratingsCompanion } from '../../../src/app/companions/ratings.ts';
import { loadSettings } from '../../../src/config/settings.ts';
import type { Asset } from '../../../src/dashboard/assets.ts';
import { openHistory, type History } from '../../../src/history/history.ts';
import type { LiveNews } from '../../../src/model/people/rating.ts';
import type { ChannelRecord } from '../../../src/model/record.ts';
import { WELL } from '../api/server.ts';
import { START_MS } from '../history/records.ts';

export const TOKEN = 'the-token-of-this-test';

/** The companion over a real history and a real HTTP server on loopback, with a clock and an Asterisk of the test's own. */
export interface RatedServer {
  nowMs: number;
  readonly history: History;
  readonly companion: Companion;
  readonly origin: string;
  readonly live: Map<string, ChannelRecord>;
  /** What was sent to Asterisk: the action's name and its fields, or the variables of a channel. */
  readonly sent: unknown[];
  /** What the live feed was told. */
  readonly told: LiveNews[];
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<{ status: number; body: unknown }>;
  get(path: string): Promise<{ status: number; body: unknown }>;
  close(): Promise<void>;
}

/** `files`: those of the dashboard, for a browser. */
export async function startRatedServer(
  ratings = 'enabled = yes',
  more = '',
  files: readonly Asset[] = [],
): Promise<RatedServer> {
  const folder = await mkdtemp(join(tmpdir(), 'mes-rated-'));
  const state = { nowMs: START_MS + 3_600_000 };
  const clock = { nowMs: () => state.nowMs };
  const settings = loadSettings(
    `[ami]\nusername = mes\nsecret = x\n[http]\ntoken = ${TOKEN}\n[ratings]\n${ratings}\n${more}`,
    'mes.conf',
    {},
  );
  const yearMs = 365 * 86_400_000;
  const history = await openHistory({
    path: join(folder, 'mes.sqlite'),
    keepIntervalsMs: yearMs,
    keepCallsMs: yearMs,
    clock,
  });
  const channels = new Map<string, ChannelRecord>();
  const live = {
    get liveCount() {
      return channels.size;
    },
    liveUniqueids: () => [...channels.keys()],
    liveChannel: (uniqueid: string) => channels.get(uniqueid) ?? null,
    liveMedia: (uniqueid: string) => channels.get(uniqueid) ?? null,
    holds: (uniqueid: string) => channels.has(uniqueid),
    handle: () => {},
  };
  const sent: unknown[] = [];
  const told: LiveNews[] = [];
  const actions = {
    send: async (name: string, fields: object) => void sent.push([name, fields]),
    setVariables: async (uniqueid: string, values: ReadonlyMap<string, string>) =>
      void sent.push([uniqueid, Object.fromEntries(values)]),
  } as unknown as CompanionContext['actions'];
  const companion = ratingsCompanion({
    settings,
    log: pino({ level: 'silent' }),
    clock,
    history,
    calls: history,
    live,
    tellLive: (news) => void told.push(news),
    actions,
    asteriskVersion: () => null,
  });
  await companion.start?.();
  const health = { health: () => WELL };
  const api = buildApi({
    history,
    clock,
    live,
    health,
    metrics: new Metrics({
      endpointPatterns: [],
      mostGroups: 2,
      live,
      health,
      labelled: () => companion.labelledCounters?.() ?? [],
      version: '1',
    }),
    token: TOKEN,
    ratings: { ofCall: (linkedid) => history.features.read('ratings', 'ofCall', linkedid) },
    files,
    // Every page asks for alerts.
    moreRoutes: [
      ...(companion.routes ?? []),
      ...alertRoutes({ list: async () => [], one: async () => null, rules: [] }, clock),
    ],
  });
  const origin = await api.listen({ host: '127.0.0.1', port: 0 });
  const authorization = `Bearer ${TOKEN}`;
  const answerOf = async (response: Response): Promise<{ status: number; body: unknown }> => {
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    return { status: response.status, body: isJson ? (JSON.parse(text) as unknown) : text };
  };
  return Object.assign(state, {
    history,
    companion,
    origin,
    live: channels,
    sent,
    told,
    post: async (path: string, body: unknown, headers: Record<string, string> = { authorization }) =>
      answerOf(
        await fetch(`${origin}${path}`, {
          method: 'POST',
          headers: body instanceof URLSearchParams ? headers : { 'content-type': 'application/json', ...headers },
          body: body instanceof URLSearchParams ? body : JSON.stringify(body),
        }),
      ),
    get: async (path: string) => answerOf(await fetch(`${origin}${path}`, { headers: { authorization } })),
    close: async () => {
      await api.close();
      await history.close();
      await rm(folder, { recursive: true });
    },
  });
}
