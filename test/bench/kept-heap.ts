import { setTimeout as sleep } from 'node:timers/promises';
import type { SidecarProcess } from '../lab/sidecar-process.ts';

/** With this the inspector, once it is asked for, takes any free port. */
export const ANY_INSPECTOR_PORT = '--inspect-port=127.0.0.1:0';
const OPEN_TIMEOUT_MS = 5000;

/**
 * Bytes that the main thread's heap holds right after a full garbage collection, MB. Needs a sidecar that was started with
 * `ANY_INSPECTOR_PORT`. The inspector takes some memory itself and stays: to be asked last.
 */
export async function keptHeapMb(sidecar: SidecarProcess): Promise<number> {
  const { pid } = sidecar;
  if (pid === undefined) throw new Error('the sidecar is not running');
  process.kill(pid, 'SIGUSR1');
  const socket = new WebSocket(await inspectorOf(sidecar));
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true });
    socket.addEventListener('error', () => reject(new Error("Node's inspector does not answer")), { once: true });
  });
  try {
    await ask(socket, 'HeapProfiler.collectGarbage');
    const { result } = await ask(socket, 'Runtime.evaluate', { expression: 'process.memoryUsage().heapUsed' });
    return Number(result?.value) / 2 ** 20;
  } finally {
    socket.close();
  }
}

/** Node prints where the inspector listens. */
async function inspectorOf(sidecar: SidecarProcess): Promise<string> {
  for (let waitedMs = 0; waitedMs < OPEN_TIMEOUT_MS; waitedMs += 20) {
    const [address] = /ws:\/\/\S+/.exec(sidecar.output) ?? [];
    if (address !== undefined) return address;
    await sleep(20);
  }
  throw new Error("Node's inspector did not open");
}

interface InspectorAnswer {
  readonly result?: { readonly value?: unknown };
}

/** One question at a time. */
function ask(socket: WebSocket, method: string, params: object = {}): Promise<InspectorAnswer> {
  return new Promise((resolve) => {
    socket.addEventListener(
      'message',
      ({ data }) => resolve((JSON.parse(String(data)) as { result: InspectorAnswer }).result),
      { once: true },
    );
    socket.send(JSON.stringify({ id: 1, method, params }));
  });
}
