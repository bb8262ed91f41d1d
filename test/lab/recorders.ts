import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { connect } from 'node:net';
import type { AmiAddress } from './ami-client.ts';

const END = '\r\n\r\n';

/** Writes to a file until it is stopped. */
export interface Recorder {
  readonly path: string;
  /** Resolves when the file is complete. */
  stop(): Promise<void>;
}

/** A recording of AMI with the moment at which each message came. */
export interface AmiRecorder extends Recorder {
  /** Epoch milliseconds, one a message, in the file's order. */
  readonly arrivalsMs: readonly number[];
}

/**
 * Records the raw bytes of an AMI user's events, from the first one after the login.
 *
 * A whole number of messages is written: an unfinished last one is left out.
 */
export async function recordAmi(address: AmiAddress, path: string): Promise<AmiRecorder> {
  const socket = connect({ host: address.host, port: address.port });
  const file = openSync(path, 'w');
  const arrivalsMs: number[] = [];
  let tail = Buffer.alloc(0);
  let isLoggedIn = false;
  const loggedIn = new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.on('data', (chunk: Buffer) => {
      tail = Buffer.concat([tail, chunk]);
      if (!isLoggedIn) {
        const start = tail.indexOf(END);
        if (start < 0) return;
        if (!tail.subarray(0, start).includes('Response: Success')) {
          reject(new Error(`AMI user ${address.user} was refused.`));
          return;
        }
        isLoggedIn = true;
        tail = tail.subarray(start + END.length);
        resolve();
      }
      const end = tail.lastIndexOf(END);
      if (end < 0) return;
      const messages = tail.subarray(0, end + END.length);
      writeSync(file, messages);
      for (let at = messages.indexOf(END); at >= 0; at = messages.indexOf(END, at + END.length))
        arrivalsMs.push(Date.now());
      tail = tail.subarray(end + END.length);
    });
  });
  socket.write(`Action: Login\r\nUsername: ${address.user}\r\nSecret: ${address.secret}\r\n\r\n`);
  let isStopped = false;
  const stop = async (): Promise<void> => {
    if (isStopped) return;
    isStopped = true;
    const closed = new Promise((resolve) => {
      socket.once('close', resolve);
    });
    socket.destroy();
    await closed;
    closeSync(file);
  };
  try {
    await loggedIn;
  } catch (error) {
    await stop();
    throw error;
  }
  socket.on('error', () => undefined);
  return { path, arrivalsMs, stop };
}

/** Captures the UDP packets of a lab's addresses into a pcap file; resolves when tcpdump has begun. */
export async function capture(network: string, path: string, filter = 'udp'): Promise<Recorder> {
  const expression = `net ${network} and (${filter})`;
  // tcpdump's buffer has slots of one size. With the default size it holds 32 packets and loses some on a busy machine.
  const room = ['-s', '4096', '-B', '16384'];
  const tcpdump = [
    'tcpdump',
    '-i',
    'lo',
    '-U',
    '--immediate-mode',
    ...room,
    '-n',
    '-Z',
    'root',
    '-w',
    path,
    expression,
  ];
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...tcpdump], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // Ctrl-C is not for it.
    detached: true,
  });
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  await hasBegun(child, ended);
  return {
    path,
    async stop() {
      child.kill('SIGINT');
      await ended;
    },
  };
}

async function hasBegun(child: ChildProcess, ended: Promise<void>): Promise<void> {
  let words = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr?.on('data', (chunk: Buffer) => {
      words += chunk.toString();
      if (words.includes('listening on')) resolve();
    });
    void ended.then(() => reject(new Error(`tcpdump could not capture: ${words.trim()}`)));
  });
}
