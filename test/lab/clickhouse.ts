import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './addresses.ts';
import { type Confined, spawnConfined } from './confined.ts';

const HOST = '127.0.0.1';
const FIRST_PORT = 28_123;
const READY_WAIT_MS = 60_000;

/** A real ClickHouse on loopback, with its files in a folder of the test's own. */
export interface ClickHouse {
  readonly url: string;
  readonly tcpPort: number;
  /** SQL; the answer as text. Rejects with ClickHouse's own words. */
  query(sql: string): Promise<string>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Again, on the same files and ports. */
  start(): Promise<void>;
  /** SIGSTOP: it takes connections and answers nothing. */
  pause(): void;
  resume(): void;
}

export interface ClickHouseOptions {
  readonly folder: string;
  readonly httpPort: number;
  readonly tcpPort: number;
  /** TCP ports of all shards of the cluster `fleet`, this one included. */
  readonly clusterPorts: readonly number[];
}

/** Starts as many servers as there are shards, each knowing the others as the cluster `fleet`. */
export async function startShards(folder: string, count: number): Promise<ClickHouse[]> {
  const ports: { httpPort: number; tcpPort: number }[] = [];
  let next = FIRST_PORT + (process.pid % 500) * 8;
  for (let shard = 0; shard < count; shard++) {
    const httpPort = await freePort(HOST, next);
    const tcpPort = await freePort(HOST, httpPort + 1);
    next = tcpPort + 1;
    ports.push({ httpPort, tcpPort });
  }
  const clusterPorts = ports.map(({ tcpPort }) => tcpPort);
  const servers = ports.map((pair, shard) =>
    clickHouse({ ...pair, clusterPorts, folder: join(folder, `shard${shard}`) }),
  );
  await Promise.all(servers.map((server) => server.start()));
  return servers;
}

function clickHouse({ folder, httpPort, tcpPort, clusterPorts }: ClickHouseOptions): ClickHouse {
  mkdirSync(folder, { recursive: true });
  const shards = clusterPorts
    .map((port) => `<shard><replica><host>${HOST}</host><port>${port}</port></replica></shard>`)
    .join('');
  writeFileSync(
    join(folder, 'config.xml'),
    `<yandex><logger><level>warning</level><log>${folder}/log</log><errorlog>${folder}/errors</errorlog></logger>
    <http_port>${httpPort}</http_port><tcp_port>${tcpPort}</tcp_port><listen_host>${HOST}</listen_host>
    <path>${folder}/</path><tmp_path>${folder}/tmp/</tmp_path><users_config>users.xml</users_config>
    <mark_cache_size>67108864</mark_cache_size><timezone>UTC</timezone><max_connections>100</max_connections>
    <keep_alive_timeout>10</keep_alive_timeout>
    <remote_servers><fleet>${shards}</fleet></remote_servers><dictionaries_config>none.xml</dictionaries_config></yandex>`,
  );
  writeFileSync(
    join(folder, 'users.xml'),
    `<yandex><profiles><default/></profiles><quotas><default/></quotas><users><default><password></password>
    <networks><ip>${HOST}</ip></networks><profile>default</profile><quota>default</quota></default></users></yandex>`,
  );
  const url = `http://${HOST}:${httpPort}`;
  let running: Confined | undefined;
  const query = async (sql: string): Promise<string> => {
    const response = await fetch(url, { method: 'POST', body: sql });
    const text = (await response.text()).trim();
    if (!response.ok) throw new Error(text);
    return text;
  };
  return {
    url,
    tcpPort,
    query,
    async kill() {
      running?.kill();
      await running?.ended;
    },
    pause() {
      for (const pid of running?.children() ?? []) process.kill(pid, 'SIGSTOP');
    },
    resume() {
      for (const pid of running?.children() ?? []) process.kill(pid, 'SIGCONT');
    },
    async start() {
      running = spawnConfined('clickhouse-server "--config-file=$1"', [join(folder, 'config.xml')]);
      const untilMs = performance.now() + READY_WAIT_MS;
      while (performance.now() < untilMs) {
        if ((await query('SELECT 1').catch(() => '')) === '1') return;
        await sleep(50);
      }
      throw new Error('clickhouse-server did not answer in time');
    },
  };
}
