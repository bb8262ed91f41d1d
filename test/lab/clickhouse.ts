import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './addresses.ts';
import { type Confined, spawnConfined } from './confined.ts';
import { type ZooKeeper, zooKeeper } from './zookeeper.ts';

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
  /** The cluster `fleet`: TCP ports of its shards, and of the replicas of each. */
  readonly cluster: readonly (readonly number[])[];
  /** Of a replica. */
  readonly replication?: { readonly zooKeeperPort: number; readonly interserverPort: number; readonly replica: string };
}

/** Starts replicas of one shard, which ZooKeeper keeps together. */
export async function startReplicas(
  folder: string,
  count: number,
): Promise<{ readonly replicas: ClickHouse[]; readonly zookeeper: ZooKeeper }> {
  let next = FIRST_PORT + (process.pid % 500) * 8;
  const free = async (): Promise<number> => {
    const port = await freePort(HOST, next);
    next = port + 1;
    return port;
  };
  const zookeeper = zooKeeper(join(folder, 'zookeeper'), await free());
  await zookeeper.start();
  const ports: { httpPort: number; tcpPort: number; interserverPort: number }[] = [];
  for (let replica = 0; replica < count; replica++)
    ports.push({ httpPort: await free(), tcpPort: await free(), interserverPort: await free() });
  const cluster = [ports.map(({ tcpPort }) => tcpPort)];
  const replicas = ports.map(({ httpPort, tcpPort, interserverPort }, index) =>
    clickHouse({
      httpPort,
      tcpPort,
      cluster,
      folder: join(folder, `replica${index}`),
      replication: { zooKeeperPort: zookeeper.port, interserverPort, replica: `r${index}` },
    }),
  );
  await Promise.all(replicas.map((replica) => replica.start()));
  return { replicas, zookeeper };
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
  const cluster = ports.map(({ tcpPort }) => [tcpPort]);
  const servers = ports.map((pair, shard) => clickHouse({ ...pair, cluster, folder: join(folder, `shard${shard}`) }));
  await Promise.all(servers.map((server) => server.start()));
  return servers;
}

function clickHouse({ folder, httpPort, tcpPort, cluster, replication }: ClickHouseOptions): ClickHouse {
  mkdirSync(folder, { recursive: true });
  const replicaOf = (port: number): string => `<replica><host>${HOST}</host><port>${port}</port></replica>`;
  const shards = cluster
    .map((ports) => `<shard><internal_replication>true</internal_replication>${ports.map(replicaOf).join('')}</shard>`)
    .join('');
  const together =
    replication === undefined
      ? ''
      : `<interserver_http_port>${replication.interserverPort}</interserver_http_port><interserver_http_host>${HOST}</interserver_http_host>
    <zookeeper><node><host>${HOST}</host><port>${replication.zooKeeperPort}</port></node><session_timeout_ms>5000</session_timeout_ms></zookeeper>
    <macros><shard>1</shard><replica>${replication.replica}</replica></macros>`;
  writeFileSync(
    join(folder, 'config.xml'),
    `<yandex><logger><level>warning</level><log>${folder}/log</log><errorlog>${folder}/errors</errorlog></logger>
    <http_port>${httpPort}</http_port><tcp_port>${tcpPort}</tcp_port><listen_host>${HOST}</listen_host>
    <path>${folder}/</path><tmp_path>${folder}/tmp/</tmp_path><users_config>users.xml</users_config>
    <mark_cache_size>67108864</mark_cache_size><timezone>UTC</timezone><max_connections>100</max_connections>
    <keep_alive_timeout>10</keep_alive_timeout>${together}
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
