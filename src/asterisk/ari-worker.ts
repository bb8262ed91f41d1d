/**
 * The thread in which `ari-client` lives. The package throws where nobody can catch it (a failed download of the API's
 * description, an event of a type it does not know, half an answer when Asterisk dies) and its web socket gives up
 * for good after ten tries. Here that ends this thread and nothing else; `ari.ts` starts a new one.
 */
import { parentPort, workerData } from 'node:worker_threads';
import ari, { type Client } from 'ari-client';
import type { AriCall, AriMessage, AriRequest, AriWorkerData } from './ari-protocol.ts';
import { errorText } from '../units/error-text.ts';

/** A web socket that leaves two pings unanswered is dead. */
const PING_EVERY_MS = 5000;
const PINGS_MISSED = 2;
const GOODBYE_MS = 100;

function post(message: AriMessage): void {
  parentPort?.postMessage(message, []);
}

async function carryOut(connected: Client, request: AriCall): Promise<void> {
  const channelId = request.uniqueid;
  try {
    post({ kind: 'answer', id: request.id, body: await connected.channels.rtpstatistics({ channelId }) });
  } catch (error) {
    post({ kind: 'refusal', id: request.id, message: errorText(error) });
  }
}

function passOn(event: unknown): void {
  const { channel, variable, value } = event as { channel?: { id?: unknown }; variable?: unknown; value?: unknown };
  if (typeof variable !== 'string' || typeof value !== 'string') return;
  const uniqueid = typeof channel?.id === 'string' ? channel.id : undefined;
  post({ kind: 'variable-set', uniqueid, name: variable, value });
}

/** Ends this thread when the web socket is lost or silent; a new thread then begins. */
function supervise(connected: Client): void {
  let unanswered = 0;
  connected.on('pong', () => {
    unanswered = 0;
  });
  const lost = (): void => process.exit(1);
  connected.on('WebSocketReconnecting', lost);
  connected.on('WebSocketMaxRetries', lost);
  setInterval(() => {
    if (unanswered >= PINGS_MISSED) lost();
    unanswered++;
    connected.ping();
  }, PING_EVERY_MS);
}

/** Closes the web socket properly: Asterisk logs a warning about one that just breaks off. */
function stop(connected: Client): void {
  connected.stop();
  setTimeout(() => process.exit(0), GOODBYE_MS);
}

const { url, username, password, app } = workerData as AriWorkerData;
const client = await ari.connect(url, username, password);
supervise(client);
client.on('ChannelVarset', passOn);
await client.start(app, true);
try {
  // Without a filter the subscription delivers every event of the server.
  await client.applications.filter({ applicationName: app, filter: { allowed: [{ type: 'ChannelVarset' }] } });
} catch {
  // Not in Asterisk before 16.3; `passOn` sees nothing else anyway.
}
parentPort?.on('message', (request: AriRequest) => {
  if (request.kind === 'stop') stop(client);
  else void carryOut(client, request);
});
post({ kind: 'up' });
