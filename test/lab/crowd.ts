/**
 * `node crowd.ts HOST:PORT SECONDS`: a crowd on the machine that asks REST for all it can, in every way that was found to
 * hold the sidecar up, or to fill its memory. It ends by itself, and prints how many answers began. Where none has, it goes on
 * until one does, ten times as long at most: on a busy machine it takes a while to begin.
 */
import { connect, type Socket } from 'node:net';

const [target = '', seconds = '1'] = process.argv.slice(2);
const [host = '127.0.0.1', port = '0'] = target.split(':');
const LIVE = request('/v1/live');
/** The shortest request that HTTP has: many fit into one packet. */
const SHORTEST = 'GET / HTTP/1.0\r\n\r\n';

const MOST_PERIODS = 10;

let answers = 0;
const open = new Set<Socket>();

function request(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;
}

/** Connects, sends, and does it again whenever the connection has gone. */
function stay(text: () => string, isReading: boolean): void {
  if (isOver) return;
  const socket = connect({ host, port: Number(port) });
  open.add(socket);
  socket.on('connect', () => socket.write(text()));
  socket.on('error', () => {});
  socket.on('close', () => {
    open.delete(socket);
    setTimeout(() => stay(text, isReading), 20);
  });
  if (!isReading) return void socket.pause();
  socket.on('data', (bytes) => {
    if (!bytes.includes('HTTP/1.1 ')) return;
    if (bytes.includes('HTTP/1.1 200')) answers++;
    socket.write(text());
  });
}

let isOver = false;
let count = 0;

interface Description {
  readonly paths: Readonly<Record<string, { readonly get?: object }>>;
}

/** Every question that REST describes, about a channel that is up. */
async function everyQuestion(): Promise<readonly string[]> {
  const answer = async <T>(path: string): Promise<T> => (await fetch(`http://${target}${path}`)).json() as Promise<T>;
  const { paths } = await answer<Description>('/openapi.json');
  const { channels } = await answer<{ channels: Record<string, string>[] }>('/v1/live?limit=1');
  const known = channels[0] ?? {};
  return Object.entries(paths)
    .filter(([, { get }]) => get !== undefined)
    .map(([path]) => path.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => encodeURIComponent(known[name] ?? 'x')));
}

const questions = await everyQuestion();
const CROWD: readonly { readonly connections: number; readonly text: () => string; readonly isReading: boolean }[] = [
  // Twenty at once, and hardly ever the same question.
  { connections: 40, text: () => LIVE.repeat(20), isReading: true },
  { connections: 40, text: () => SHORTEST.repeat(3000), isReading: true },
  { connections: 40, text: () => LIVE, isReading: true },
  { connections: 20, text: () => request(`/v1/live?limit=${2000 + (count++ % 5000)}&sort=mes`), isReading: true },
  { connections: 20, text: () => request('/v1/live?fields=summary'), isReading: true },
  { connections: 20, text: () => request('/v1/calls?limit=500'), isReading: true },
  { connections: 40, text: () => request(questions[count++ % questions.length] ?? '/'), isReading: true },
  { connections: 100, text: () => request(`/v1/live?limit=${2000 + (count++ % 5000)}`), isReading: false },
];
for (const { connections, text, isReading } of CROWD) {
  for (let n = 0; n < connections; n++) stay(text, isReading);
}
const everyMs = Number(seconds) * 1000;
let periods = 0;
const ending = setInterval(() => {
  if (answers === 0 && ++periods < MOST_PERIODS) return;
  clearInterval(ending);
  isOver = true;
  for (const socket of open) socket.destroy();
  process.stdout.write(`${answers}\n`);
}, everyMs);
