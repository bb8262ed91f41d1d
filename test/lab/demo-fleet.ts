import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newPbx } from '../../src/fleet/settings.ts';
import { freePort } from './addresses.ts';
import { startShards } from './clickhouse.ts';
import { DemoCalls } from './demo-calls.ts';
import { DEMO_PBXS } from './demo-phones.ts';
import { HOST, LASTING, type RunningDemo, type StartDemo } from './demo-show.ts';
import { GatewayProcess } from './gateway-process.ts';
import { startLab } from './lab.ts';
import { makeRunDirectory } from './paths.ts';
import { SidecarProcess } from './sidecar-process.ts';

/** A call is shipped three seconds after its end; then it has two queues before it. */
const SETTLE_MS = 30_000;
const FIRST_GATEWAY_PORT = 28_091;

/** Two Asterisks with a sidecar each, a gateway, and Debian's ClickHouse: one page over both. */
export const startDemoFleet: StartDemo = async ({ port, data }, say): Promise<RunningDemo> => {
  const own = makeRunDirectory('demo-fleet');
  const folder = data ?? own;
  const stops: (() => Promise<void>)[] = [async () => rmSync(own, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    for (const one of stops.splice(0).toReversed()) await one();
  };
  try {
    mkdirSync(own, { recursive: true });
    const [store] = await startShards(join(folder, 'clickhouse'), 1);
    if (store === undefined) throw new Error('no ClickHouse');
    stops.push(() => store.kill());
    const keys = DEMO_PBXS.map(({ name, site }) => newPbx(name, site));
    const gatewayPort = await freePort(HOST, FIRST_GATEWAY_PORT);
    const config = join(own, 'fleet.conf');
    const settings = `[gateway]\nbind = ${HOST}:${gatewayPort}\n[http]\nbind = ${HOST}:${port}\n[store]\nshards = ${store.url}\n`;
    writeFileSync(config, `${settings}${keys.map(({ lines }) => lines).join('')}`, { mode: 0o600 });
    const gateway = await GatewayProcess.start(config);
    stops.push(() => gateway.stop());
    const results = await Promise.allSettled(
      DEMO_PBXS.map(async ({ name, phones }, index) => {
        const lab = await startLab({ release: '22', phones, ...LASTING });
        stops.push(() => lab.stop());
        const dataDirectory = join(folder, name);
        mkdirSync(dataDirectory, { recursive: true });
        const token = keys[index]?.token ?? '';
        const sidecar = await SidecarProcess.start(lab, {
          httpHost: lab.pbx.host,
          httpPort: await lab.freePort(),
          dataDirectory,
          extraConfig: `[fleet]\nurl = http://${HOST}:${gatewayPort}\ntoken = ${token}\nsend = bad-intervals\n`,
        });
        stops.push(() => sidecar.stop());
        const where = `is up on ${lab.pbx.host}, with ${phones.length} phones; its own page is ${sidecar.url}/`;
        say(`${name}: Asterisk ${lab.pbx.version} ${where}`);
        return { lab, sidecar };
      }),
    );
    // All have started or failed by now: whatever runs is stopped.
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    const started = results.filter((result) => result.status === 'fulfilled').map(({ value }) => value);
    const labs = started.map(({ lab }) => lab);
    const sidecars = started.map(({ sidecar }) => sidecar);
    const url = `http://${HOST}:${port}`;
    say(`asterisk-mes scores their calls: ${url}/ Ctrl-C ends the demo.`);
    return {
      version: labs[0]?.pbx.version ?? '',
      calls: labs.map((lab, index) => new DemoCalls(lab, DEMO_PBXS[index]?.waves)),
      source: {
        url,
        name: 'the gateway',
        settleMs: SETTLE_MS,
        async get<T>(path: string): Promise<T> {
          const answer = await fetch(`${url}${path}`, { signal: AbortSignal.timeout(30_000) });
          if (!answer.ok) throw new Error(`GET ${path} answered ${answer.status}: ${await answer.text()}`);
          return (await answer.json()) as T;
        },
        check() {
          const ended = [...sidecars, gateway].find(({ isRunning }) => !isRunning);
          if (ended !== undefined) throw new Error(`asterisk-mes ended. Its last words:\n${ended.output.trim()}`);
        },
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
};
