import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Digest } from '../../src/app/companions/alerts/digest.ts';
import { openHistory } from '../../src/history/history.ts';
import type { AlertMessage } from '../../src/model/alert.ts';
import { freePort } from '../lab/addresses.ts';
import { makeRunDirectory } from '../lab/paths.ts';
import { readRecording } from '../lab/recording.ts';
import { SidecarProcess } from '../lab/sidecar-process.ts';
import { SimulatedAsterisk } from '../lab/simulated-asterisk.ts';
import { testMailServer, type TestMailServer } from '../unit/alerts/smtp-server.ts';

const HOST = '127.0.0.1';
const TOKEN = 'a-token-of-the-test';
/** Phones that are called by their numbers, with people's names. */
const NUMBERS = { alice: '4930555101', bob: '4989555202' } as const;
const PEOPLE = ['Anna Berger', 'Bodo Weiss'] as const;
const WAIT = { timeout: 60_000, interval: 200 };
const DAY_MS = 86_400_000;

const folder = makeRunDirectory('alert-numbers');
let asterisk: SimulatedAsterisk;
let mails: TestMailServer;
let sidecar: SidecarProcess;
/** What the sidecar says to Asterisk. */
let saidToAsterisk = '';
/** What the webhook got, heads and bodies. */
let posted = '';
const servers: { close(): unknown }[] = [];

/** A call of the recording, with a number wherever Asterisk puts one. */
function numbered() {
  const { messages, ids } = readRecording('22-lossy-call');
  const told = (text: string): string =>
    text
      .replaceAll(/PJSIP\/alice/g, `PJSIP/${NUMBERS.alice}`)
      .replaceAll(/PJSIP\/bob/g, `PJSIP/${NUMBERS.bob}`)
      .replaceAll(/CallerIDNum: [^\r]*/g, `CallerIDNum: ${NUMBERS.alice}`)
      .replaceAll(/ConnectedLineNum: [^\r]*/g, `ConnectedLineNum: ${NUMBERS.bob}`)
      .replaceAll(/CallerIDName: [^\r]*/g, `CallerIDName: ${PEOPLE[0]}`)
      .replaceAll(/ConnectedLineName: [^\r]*/g, `ConnectedLineName: ${PEOPLE[1]}`)
      .replaceAll(/Exten: \d[^\r]*/g, `Exten: ${NUMBERS.bob}`);
  return { ids, messages: messages.map((message) => ({ ...message, texts: message.texts.map(told) })) };
}

async function listening(server: { listen(port: number, host: string): unknown; address(): unknown }): Promise<number> {
  server.listen(0, HOST);
  await once(server as never, 'listening');
  return (server.address() as AddressInfo).port;
}

beforeAll(async () => {
  asterisk = await SimulatedAsterisk.start();
  mails = await testMailServer();
  const { port, username, secret } = asterisk.connection;
  const between = createServer((client) => {
    const server = connect({ host: HOST, port });
    client.on('data', (bytes) => (saidToAsterisk += bytes.toString()));
    client.pipe(server).pipe(client);
    for (const socket of [client, server]) socket.on('error', () => client.destroy());
  });
  const hook = createHttpServer((request, response) => {
    posted += JSON.stringify(request.rawHeaders) + request.url;
    request.on('data', (bytes: Buffer) => (posted += bytes.toString())).on('end', () => response.writeHead(204).end());
  });
  servers.push(between, hook);
  const amiPort = await listening(between);
  const hookPort = await listening(hook);
  const pbx = { host: HOST, amiPort, amiUser: username, amiSecret: secret, agiPort: await freePort(HOST, 14_730) };
  sidecar = await SidecarProcess.start(
    { pbx: { ...pbx, ariUrl: '', ariUser: '', ariPassword: '' } },
    {
      httpHost: HOST,
      httpPort: await freePort(HOST, 18_730),
      ari: false,
      token: TOKEN,
      dataDirectory: folder,
      extraConfig: `numbers = masked
[alerts]
smtp = smtp://mes:secret@${HOST}:${mails.port}
from = pbx@example.com
to = team@example.com
webhook = http://${HOST}:${hookPort}/hook
[alert:loss]
calls = 1
raise = 0.5
send = yes
`,
    },
  );
});
afterAll(async () => {
  await sidecar?.stop();
  await asterisk?.stop();
  await mails?.close();
  for (const server of servers) server.close();
});

interface ListedAlert {
  readonly rule: string;
  readonly linkedids: readonly string[];
}

test('nothing that leaves the house has a number or a name, where they are masked', async () => {
  asterisk.sayAtOnce(numbered());
  await expect.poll(() => mails.mails.length, WAIT).toBeGreaterThan(0);
  await expect.poll(() => posted, WAIT).toContain('"rule":"loss"');
  await expect.poll(() => saidToAsterisk, WAIT).toContain('UserEvent: MesAlert');
  const fetched = async (path: string, init?: RequestInit): Promise<string> => {
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
    const answer = await fetch(new URL(path, sidecar.url), { ...init, headers });
    expect([path, answer.status < 400]).toEqual([path, true]);
    return answer.text();
  };
  const { alerts } = JSON.parse(await fetched('/v1/alerts')) as { alerts: readonly ListedAlert[] };
  const linkedid = alerts.find(({ rule }) => rule === 'loss')?.linkedids[0] ?? '';
  const trunk = encodeURIComponent(/"endpoint":"(PJSIP\/[^"]*101)"/.exec(JSON.stringify(alerts))?.[1] ?? '');
  const pages: Record<string, string> = {
    alerts: JSON.stringify(alerts),
    evidence: await fetched(`/v1/calls/${linkedid}/evidence`),
    'evidence page': await fetched(`/v1/calls/${linkedid}/evidence/page`),
    'trunk evidence': await fetched(`/v1/trunks/${trunk}/evidence?from=-1d`),
    'trunk page': await fetched(`/v1/trunks/${trunk}/evidence/page?from=-1d`),
    trunks: await fetched('/v1/trunks'),
  };
  for (const [name, path] of [
    ['shared call', `/v1/calls/${linkedid}/share`],
    ['shared trunk', `/v1/trunks/${trunk}/share`],
  ] as const) {
    const { url } = JSON.parse(await fetched(path, { method: 'POST', body: '{}' })) as { url: string };
    pages[name] = url + (await fetched(new URL(url).pathname));
  }
  // Quoted-printable and base64 are undone by looking for what is left of both.
  const mailed = mails.mails.map(({ text }) => decoded(text)).join('\n');
  const [link = ''] = /http:\S+\/a\/\S+|http:\S+\/s\/\S+/.exec(mailed) ?? [];
  pages['page of the alert'] = await fetched(new URL(link).pathname);
  const events = saidToAsterisk.split('\r\n\r\n').filter((block) => /^Action: UserEvent/im.test(block));
  await sidecar.stop();
  const sent: Record<string, string> = { ...pages, mailed, posted, events: events.join('\n'), digest: await digest() };
  for (const [name, text] of Object.entries(sent)) {
    // What is masked is there, so this was about the phones.
    const masked = name.includes('page') || name.startsWith('shared') ? /\*+101|\*+202/ : /PJSIP\/\*+(?:101|202)/;
    expect({ [name]: masked.test(text) }).toEqual({ [name]: true });
    const found = [...Object.values(NUMBERS), ...PEOPLE].filter((secret) => text.includes(secret));
    expect({ [name]: found }).toEqual({ [name]: [] });
    expect({ [name]: /(?<!\d)(?:4930|4989|30555|89555)\d/.exec(text.replaceAll(/\d{10,}\.\d+/g, ''))?.[0] }).toEqual({
      [name]: undefined,
    });
  }
}, 180_000);

/** A mail's text, without the line breaks of quoted-printable. */
function decoded(text: string): string {
  return text
    .replaceAll(/=\r?\n/g, '')
    .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)));
}

/** What the next morning's mail says of these calls. */
async function digest(): Promise<string> {
  const clock = { nowMs: () => Date.now() };
  const history = await openHistory({
    path: sidecar.databasePath,
    keepIntervalsMs: 400 * DAY_MS,
    keepCallsMs: 400 * DAY_MS,
    clock,
  });
  const messages: AlertMessage[] = [];
  try {
    const { features } = history;
    const morning = new Date(Date.now() + DAY_MS);
    morning.setHours(8, 0, 0, 0);
    const made = new Digest({
      period: 'daily',
      calls: history,
      url: 'http://pbx1',
      groups: (query) => features.read('alerts', 'groups', query),
      isSent: async () => false,
      alertsSince: (sinceMs) => features.read('alerts', 'list', { sinceMs, limit: 1000 }),
      send: async (message) => void messages.push(message),
      onProblem: (sentence) => expect.fail(sentence),
    });
    made.tick(morning.getTime());
    await expect.poll(() => messages.length, WAIT).toBe(1);
    return JSON.stringify(messages);
  } finally {
    await history.close();
  }
}
