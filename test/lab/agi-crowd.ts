/**
 * `node agi-crowd.ts HOST:PORT SECONDS`: a crowd on the machine at the FastAGI port, without the secret: connections that ask for
 * what they may not, that never end what they begin, that send rubbish, and that only come and go. It ends by itself, and prints
 * how many connections it had.
 */
import { connect, type Socket } from 'node:net';

const [target = '', seconds = '1'] = process.argv.slice(2);
const [host = '127.0.0.1', port = '0'] = target.split(':');
/** From the end of one connection to the next in its place. */
const AGAIN_MS = 10;

const FORGED = 'agi_network: yes\nagi_network_script: hangup/forged\nagi_uniqueid: 1.1\n\n';
/** One line less than is too many. */
const ENDLESS = Array.from({ length: 62 }, (_, n) => `agi_arg_${n}: ${'x'.repeat(100)}\n`).join('');
const RUBBISH = 'x'.repeat(65_536);

const CROWD: readonly { readonly connections: number; readonly text: string; readonly isLeaving: boolean }[] = [
  { connections: 150, text: FORGED, isLeaving: false },
  { connections: 100, text: ENDLESS, isLeaving: false },
  { connections: 50, text: RUBBISH, isLeaving: false },
  { connections: 100, text: '', isLeaving: true },
];

let had = 0;
let isOver = false;
const open = new Set<Socket>();

function stay(text: string, isLeaving: boolean): void {
  if (isOver) return;
  const socket = connect({ host, port: Number(port) });
  open.add(socket);
  socket.on('connect', () => {
    had++;
    if (isLeaving) socket.destroy();
    else socket.write(text);
  });
  socket.on('data', () => {});
  socket.on('error', () => {});
  socket.on('close', () => {
    open.delete(socket);
    setTimeout(() => stay(text, isLeaving), AGAIN_MS);
  });
}

for (const { connections, text, isLeaving } of CROWD) for (let n = 0; n < connections; n++) stay(text, isLeaving);
setTimeout(
  () => {
    isOver = true;
    for (const socket of open) socket.destroy();
    process.stdout.write(`${had}\n`);
  },
  Number(seconds) * 1000,
);
