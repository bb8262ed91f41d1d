import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Confined, spawnConfined } from './confined.ts';

const READY_WAIT_MS = 60_000;
const JARS = '/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar';
const JAVA = 'java -Xms32m -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djava.net.preferIPv4Stack=true';

/** Debian's ZooKeeper on loopback, alone, with its files in a folder of the test's own. */
export interface ZooKeeper {
  readonly port: number;
  start(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

export function zooKeeper(folder: string, port: number): ZooKeeper {
  mkdirSync(join(folder, 'data'), { recursive: true });
  const config = join(folder, 'zoo.cfg');
  writeFileSync(
    config,
    `tickTime=500\ndataDir=${join(folder, 'data')}\nclientPort=${port}\nclientPortAddress=127.0.0.1\nadmin.enableServer=false
maxClientCnxns=0\n4lw.commands.whitelist=srvr\npreAllocSize=4096\n`,
  );
  let running: Confined | undefined;
  return {
    port,
    async start() {
      running = spawnConfined(`${JAVA} -cp "$1" org.apache.zookeeper.server.ZooKeeperServerMain "$2" > "$3" 2>&1`, [
        JARS,
        config,
        // Nobody reads what it says: a full pipe would hold it up.
        join(folder, 'log'),
      ]);
      const untilMs = performance.now() + READY_WAIT_MS;
      while (performance.now() < untilMs) {
        // It answers `ruok` before it takes sessions.
        if ((await say(port, 'srvr')).includes('Mode: standalone')) return;
        await sleep(100);
      }
      throw new Error('ZooKeeper did not answer in time');
    },
    async kill() {
      running?.kill();
      await running?.ended;
    },
  };
}

/** A word to a port, and what it answers until it closes; empty where nobody listens. */
async function say(port: number, word: string): Promise<string> {
  return new Promise((resolve) => {
    let said = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(word));
    socket.setTimeout(1000, () => socket.destroy());
    socket.on('data', (bytes) => (said += bytes.toString()));
    socket.on('error', () => {});
    socket.on('close', () => resolve(said));
  });
}
