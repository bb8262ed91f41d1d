import { connect, type AddressInfo, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { afterEach } from 'vitest';
import { AGI_DEADLINE_MS, FastAgiServer, type FastAgiOptions } from '../../../src/asterisk/fast-agi.ts';
import type { RtpCounters } from '../../../src/model/event.ts';
import type { ChannelValues } from '../../../src/model/ports.ts';

export const COUNTERS =
  'ssrc=468825120;themssrc=1471529793;lp=3;rxjitter=0.000000;rxcount=277;txjitter=0.000000;txcount=277;rlp=1;rtt=0.000305';
/** Time that a busy test machine may add to the 50 ms. */
export const SLACK_MS = 5000;
/** An answer for the hangup handler. */
export const values = (variables: Record<string, string>, cdrFields: Record<string, string> = {}): ChannelValues => ({
  variables: new Map(Object.entries(variables)),
  cdrFields: new Map(Object.entries(cdrFields)),
});
/** Run after each test. */
export const ends: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

export interface AgiRig {
  readonly server: FastAgiServer;
  readonly port: number;
  readonly asked: { uniqueid: string; counters: RtpCounters | undefined }[];
}

/** For tests of the 50 ms themselves: others must not fail on a machine that holds them up. */
export const IN_EARNEST = { deadlineMs: AGI_DEADLINE_MS } as const;

/** A FastAGI server on a port of its own, closed after the test. It is patient unless `options` has `IN_EARNEST`. */
export async function rig(options: Partial<FastAgiOptions> = {}): Promise<AgiRig> {
  const asked: AgiRig['asked'] = [];
  const server = new FastAgiServer({
    host: '127.0.0.1',
    port: 0,
    peers: [{ address: '127.0.0.1', family: 'ipv4', prefixLength: 32 }],
    variables: true,
    cdr: true,
    deadlineMs: SLACK_MS,
    onHangup: (uniqueid, counters) => {
      asked.push({ uniqueid, counters });
      return Promise.resolve(
        values({ MES: '4.31', MES_VERDICT: 'good' }, { mes: '4.31', mes_tx: '', mes_verdict: 'bad' }),
      );
    },
    ...options,
  });
  const { port }: AddressInfo = await server.listen();
  ends.push(() => server.close());
  return { server, port, asked };
}

/** What Asterisk sends first. */
export function environment(script = 'hangup', uniqueid = '1795171767.22'): string {
  return (
    `agi_network: yes\nagi_network_script: ${script}\nagi_request: agi://127.0.0.1:4573/${script}\n` +
    `agi_channel: PJSIP/alice-00000001\nagi_uniqueid: ${uniqueid}\nagi_callerid: unknown\nagi_accountcode: \n` +
    'agi_threadid: 140502426052288\n\n'
  );
}

/** Plays Asterisk: sends `opening`, answers each command, and returns the commands and the time until the other side closed. */
export async function hangUp(
  port: number,
  opening: string | Uint8Array = environment(),
  answer: (command: string, socket: Socket) => string | undefined = asteriskAnswers,
  from = '127.0.0.1',
): Promise<{ commands: string[]; tookMs: number }> {
  const commands: string[] = [];
  const socket = connect({ port, host: '127.0.0.1', localAddress: from });
  const startMs = performance.now();
  let pending = '';
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    pending += chunk.toString('utf8');
    const lines = pending.split('\n');
    pending = lines.pop() ?? '';
    for (const line of lines) {
      commands.push(line);
      const text = answer(line, socket);
      if (text !== undefined) socket.write(text);
    }
  });
  socket.write(opening);
  await new Promise((resolve) => socket.once('close', resolve));
  return { commands, tookMs: performance.now() - startMs };
}

/** As Asterisk 22.10.1 did on a hung-up channel: the word HANGUP comes in between. */
export function asteriskAnswers(command: string): string {
  return command.startsWith('GET FULL VARIABLE') ? `200 result=1 (${COUNTERS})\nHANGUP\n` : '200 result=1\n';
}
