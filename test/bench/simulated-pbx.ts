import { freePort } from '../lab/addresses.ts';
import { type SidecarOptions, SidecarProcess } from '../lab/sidecar-process.ts';
import { SimulatedProcess } from '../lab/simulated-process.ts';

const HOST = '127.0.0.1';
/** What one process found free, another one may take: each looks elsewhere. */
const OWN_PORTS = (process.pid % 97) * 10;

/** Runs `work` with a simulated Asterisk in a process of its own. */
export async function withSimulator<Result>(work: (simulator: SimulatedProcess) => Promise<Result>): Promise<Result> {
  const { simulator } = await SimulatedProcess.start();
  try {
    return await work(simulator);
  } finally {
    await simulator.stop();
  }
}

/** A sidecar, as a process of its own, on an empty database unless one is named; resolves when it is connected. */
export async function startSidecarFor(
  simulator: SimulatedProcess,
  options: Pick<SidecarOptions, 'entry' | 'extraConfig' | 'nodeOptions' | 'environment' | 'dataDirectory'>,
): Promise<SidecarProcess> {
  const { connection } = await simulator.status();
  const pbx = {
    host: HOST,
    amiPort: connection.port,
    amiUser: connection.username,
    amiSecret: connection.secret,
    agiPort: await freePort(HOST, 14_573 + OWN_PORTS),
    ariUrl: '',
    ariUser: '',
    ariPassword: '',
  };
  return SidecarProcess.start(
    { pbx },
    { httpHost: HOST, httpPort: await freePort(HOST, 18_490 + OWN_PORTS), ari: false, ...options },
  );
}
