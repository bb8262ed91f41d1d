import { setTimeout as sleep } from 'node:timers/promises';
import { FleetGateway } from '../../fleet/gateway.ts';
import type { FleetSettings } from '../../fleet/settings.ts';
import { FleetStore } from '../../fleet/store.ts';
import { listenProblem } from '../../model/listen-problem.ts';
import { coded, type Logger } from '../state/log.ts';

const DAY_MS = 86_400_000;
const RETENTION_EVERY_MS = 3_600_000;
const TRY_AGAIN_MS = 2000;
/** ClickHouse may be starting beside us. */
const TRIES = 15;

/** Starts the fleet's gateway. Rejects with an Error of one sentence that says what to change. */
export async function startFleet(
  settings: FleetSettings,
  log: Logger,
): Promise<{ stop: () => Promise<void>; address: string }> {
  const store = new FleetStore(settings);
  await migrated(store, log);
  const onProblem = (sentence: string): void => log.warn(coded('MES_ERR_FLEET_STORE'), sentence);
  const gateway = new FleetGateway({ store, pbxs: settings.pbxs, nowMs: () => Date.now(), onProblem });
  let address: string;
  try {
    address = await gateway.listen(settings.bind);
  } catch (error) {
    await gateway.close();
    await store.close();
    const { host, port } = settings.bind;
    throw new Error(
      `the gateway cannot listen on ${host}:${port} (${listenProblem(error)}); change bind in [gateway]`,
      { cause: error },
    );
  }
  const retention = setInterval(() => {
    store.dropBefore(Date.now() - settings.keepDays * DAY_MS).catch((error: unknown) => onProblem(String(error)));
  }, RETENTION_EVERY_MS);
  log.info(`the fleet's gateway listens on ${address}, for ${settings.pbxs.length} PBXs`);
  return {
    address,
    stop: async () => {
      clearInterval(retention);
      await gateway.close();
      await store.close();
    },
  };
}

async function migrated(store: FleetStore, log: Logger): Promise<void> {
  for (let left = TRIES; ; left--) {
    try {
      await store.migrate();
      return;
    } catch (error) {
      if (left === 0)
        throw new Error(
          `ClickHouse cannot be prepared (${error instanceof Error ? error.message : String(error)}); see shards in [store]`,
          { cause: error },
        );
      if (left === TRIES) log.info('waiting for ClickHouse');
      await sleep(TRY_AGAIN_MS);
    }
  }
}
