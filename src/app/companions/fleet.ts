import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { sendersBy } from '../../alerts/ways.ts';
import { TokenCheck } from '../../api/gate/token.ts';
import { serveRoutes } from '../../api/server.ts';
import { isLoopback } from '../../config/value-types.ts';
import { dashboardAssets } from '../../dashboard/assets.ts';
import { SENT_FOR_MS } from '../../fleet/alerts/watch-table.ts';
import { FleetWatch } from '../../fleet/alerts/fleet-watch.ts';
import { FleetGateway } from '../../fleet/gateway.ts';
import { fleetRoutes } from '../../fleet/rest/fleet-routes.ts';
import type { FleetSettings, HostAndPort } from '../../fleet/settings.ts';
import { FleetStore } from '../../fleet/store.ts';
import { listenProblem } from '../../model/errors/listen-problem.ts';
import { EvidenceMaker } from './alerts/evidence-maker.ts';
import { coded, errorsOnly, type Logger } from '../state/log.ts';
import { errorText } from '../../units/error-text.ts';

const DAY_MS = 86_400_000;
const RETENTION_EVERY_MS = 3_600_000;
const FORGET_LIVE_EVERY_MS = 300_000;
/** Questions about live channels look back by minutes. */
const LIVE_FOR_MS = 1_200_000;
const TRY_AGAIN_MS = 2000;
/** ClickHouse may still be starting. */
const TRIES = 15;

export interface RunningFleet {
  readonly address: string;
  readonly httpAddress: string;
  /** Takes other PBXs, readers and tokens. Everything else needs a restart. Throws an Error of one sentence. */
  change(settings: FleetSettings): void;
  stop(): Promise<void>;
}

/**
 * Starts the fleet's gateway, and REST and the page over its store. Rejects with an Error of one sentence that says what to change,
 * or when `stopping` ends the wait for ClickHouse.
 */
export async function startFleet(settings: FleetSettings, log: Logger, stopping: AbortSignal): Promise<RunningFleet> {
  const store = new FleetStore(settings);
  const clock = { nowMs: () => Date.now() };
  const onProblem = (sentence: string): void => log.warn(coded('MES_ERR_FLEET_STORE'), sentence);
  let { pbxs, readers } = settings;
  const gateway = new FleetGateway({ store, pbxs, readers, nowMs: clock.nowMs, onProblem });
  const watch = new FleetWatch({
    store,
    database: settings.database,
    rules: settings.alerts.rules,
    senders: sendersBy(settings.alerts, isLoopback, clock.nowMs),
    known: () => pbxs,
    url: settings.alerts.url ?? addressOf(settings.http.bind),
    host: hostname(),
    newId: randomUUID,
    nowMs: clock.nowMs,
    onProblem: (sentence) => log.warn(coded('MES_ERR_ALERT'), sentence),
  });
  const token = new TokenCheck(settings.http.token, 'fleet.conf');
  token.changeReaders(namesByToken(settings));
  const api = serveRoutes(
    fleetRoutes({
      store,
      database: settings.database,
      clock,
      known: () => ({ pbxs, readers }),
      counters: () => ({ ...gateway.counters, ...watch.counters }),
      alertRules: settings.alerts.rules,
      makeEvidence: (sources) => new EvidenceMaker(sources),
    }),
    { tokenCheck: token, files: dashboardAssets({ isFleet: true }), logger: errorsOnly(log) },
  );
  const stop = async (): Promise<void> => {
    await watch.stop();
    await gateway.close();
    await api.close();
    await store.close();
  };
  let address: string;
  let httpAddress: string;
  try {
    await migrated(store, log, stopping);
    address = await listening(gateway, settings.bind, 'the gateway', '[gateway]');
    httpAddress = await listening({ listen: (bind) => listen(api, bind) }, settings.http.bind, 'REST', '[http]');
  } catch (error) {
    await stop();
    throw error;
  }
  watch.start();
  const retention = setInterval(() => {
    const [nowMs, keepMs] = [Date.now(), settings.keepDays * DAY_MS];
    store
      .dropBefore(nowMs - keepMs)
      .then(() => store.dropWatchBefore(nowMs - Math.max(keepMs, SENT_FOR_MS)))
      .catch((error: unknown) => onProblem(String(error)));
  }, RETENTION_EVERY_MS);
  const forgetLive = setInterval(() => {
    store.dropLiveBefore(Date.now() - LIVE_FOR_MS).catch((error: unknown) => onProblem(String(error)));
  }, FORGET_LIVE_EVERY_MS);
  log.info(
    `the fleet's gateway listens on ${address}, for ${pbxs.length} PBXs; REST and the page are on ${httpAddress}`,
  );
  return {
    address,
    httpAddress,
    change(changed) {
      if (token.isSet && changed.http.token === null && changed.readers.length === 0)
        throw new Error('no token would be left, and everybody here could read everything; give [http] token');
      ({ pbxs, readers } = changed);
      gateway.change(changed);
      token.change(changed.http.token);
      token.changeReaders(namesByToken(changed));
      log.info(`fleet.conf was read again: ${pbxs.length} PBXs, ${readers.length} readers`);
    },
    stop: async () => {
      clearInterval(retention);
      clearInterval(forgetLive);
      await stop();
    },
  };
}

function addressOf({ host, port }: HostAndPort): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function namesByToken({ readers }: FleetSettings): ReadonlyMap<string, string> {
  return new Map(readers.map(({ tokenSha256, name }) => [tokenSha256, name]));
}

function listen(api: FastifyInstance, bind: HostAndPort): Promise<string> {
  return api.listen({ ...bind });
}

async function listening(
  server: { listen(bind: HostAndPort): Promise<string> },
  { host, port }: HostAndPort,
  what: string,
  section: string,
): Promise<string> {
  try {
    return await server.listen({ host, port });
  } catch (error) {
    throw new Error(`${what} cannot listen on ${host}:${port} (${listenProblem(error)}); change bind in ${section}`, {
      cause: error,
    });
  }
}

async function migrated(store: FleetStore, log: Logger, stopping: AbortSignal): Promise<void> {
  for (let left = TRIES; ; left--) {
    try {
      await store.migrate();
      return;
    } catch (error) {
      if (left === 0)
        throw new Error(`ClickHouse cannot be prepared (${errorText(error)}); see shards in [store]`, { cause: error });
      if (left === TRIES) {
        const why = `ClickHouse cannot be prepared yet (${errorText(error)}); see shards in [store]; trying again`;
        log.warn(coded('MES_ERR_FLEET_STORE'), why);
      }
      await sleep(TRY_AGAIN_MS, undefined, { signal: stopping });
    }
  }
}
