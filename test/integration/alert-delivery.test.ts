import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { Mailer } from '../../src/alerts/mail.ts';
import type { AlertMessage } from '../../src/model/alert.ts';
import { startSidecarFor, withSimulator } from '../bench/simulated-pbx.ts';
import { MailServer } from '../lab/mail-server.ts';

const MESSAGE: AlertMessage = {
  id: '5f0c7b0e',
  atMs: 1_795_168_800_000,
  kind: 'alerts',
  // What a stranger might call his endpoint.
  subject: 'pbx1: loss at PJSIP/a\r\nBcc: victim@example.com\r\n\r\nhello: 4 % – zu viel',
  text: 'loss at PJSIP/a\r\n.\r\nMAIL FROM:<x@example.com>\r\nBcc: victim@example.com\n',
  html: null,
  json: '{}',
};

describe("Debian's aiosmtpd", () => {
  let server: MailServer | undefined;
  afterEach(async () => {
    await server?.stop();
    server = undefined;
  });

  function mailer(port: number, part: { password?: string | null; to?: string[] } = {}): Mailer {
    const { password = 'secret', to = ['team@example.com'] } = part;
    const user = password === null ? null : 'mes';
    const options = { host: '127.0.0.1', port, isTls: false, user, password, isThisMachine: true };
    return new Mailer({ server: options, from: 'pbx@example.com', to, timeoutMs: 5000 });
  }

  it('takes a mail over STARTTLS as a known user, one mail whatever names hold, and comes back after it was away', async () => {
    const { port, mails } = (server = await MailServer.start('starttls'));
    await expect(mailer(port, { password: 'hunter2' }).send(MESSAGE)).rejects.toThrow(
      /refused user and password \(535 [^)]*\); check smtp/,
    );
    expect(mails).toEqual([]);
    await mailer(port).send(MESSAGE);
    await expect.poll(() => mails.length).toBe(1);
    const [mail] = mails;
    expect(mail).toMatchObject({ from: 'pbx@example.com', to: ['team@example.com'], isTls: true, user: 'mes' });
    const [header = '', body = ''] = mail?.text.split(/\r?\n\r?\n/, 2) ?? [];
    expect(header).toMatch(/^To: team@example\.com$/m);
    expect(header).not.toMatch(/^(Bcc|hello)/im);
    // RFC 2047: the dash is no ASCII.
    expect(header).toMatch(/^Subject: =\?UTF-8\?/m);
    expect(body).toContain('loss at PJSIP/a');
    expect(mail?.text).toContain('\r\n.\r\nMAIL FROM:<x@example.com>');

    const patient = mailer(port, { to: ['team@example.com', 'later@example.com', 'nobody@example.com'] });
    await expect(patient.send(MESSAGE)).rejects.toThrow(/451 4\.7\.1|550 5\.1\.1/);
    await expect(patient.send(MESSAGE)).rejects.toThrow(/550 5\.1\.1/);
    const others = (): (readonly string[])[] => mails.slice(1).map(({ to }) => to);
    await expect.poll(others).toEqual([['team@example.com'], ['later@example.com']]);

    await server.go();
    await expect(mailer(port).send(MESSAGE)).rejects.toThrow(/cannot be reached/);
    await server.come();
    await mailer(port).send(MESSAGE);
    await expect.poll(() => mails.length).toBe(4);
  });

  it('without STARTTLS gets nothing that a password or a number could be read from', async () => {
    const { port, mails } = (server = await MailServer.start('plain'));
    await expect(mailer(port).send(MESSAGE)).rejects.toThrow(/does not speak STARTTLS/);
    expect(mails).toEqual([]);
    await mailer(port, { password: null }).send(MESSAGE);
    await expect.poll(() => mails.map(({ isTls, user }) => [isTls, user])).toEqual([[false, null]]);
  });
});

interface Posted {
  readonly id: string;
  readonly alerts: readonly { readonly id: string; readonly status: string; readonly rule: string }[];
}

/** A webhook that answers as told, or not at all. */
async function receiver() {
  const posts: Posted[] = [];
  const state: { answer: (response: ServerResponse) => void } = { answer: (response) => response.writeHead(204).end() };
  const server = createServer((request: IncomingMessage, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => (text += part));
    request.on('end', () => {
      const { alerts } = JSON.parse(text) as Pick<Posted, 'alerts'>;
      posts.push({ id: String(request.headers['webhook-id']), alerts });
      state.answer(response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(state, {
    posts,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  });
}

async function until(isThere: () => boolean, what: string, withinMs: number): Promise<void> {
  const endsAtMs = performance.now() + withinMs;
  while (!isThere()) {
    if (performance.now() > endsAtMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await sleep(50);
  }
}

describe('a sidecar that is killed', () => {
  it('sends what nobody acknowledged again under the same id, and tells nothing twice', async () => {
    const hook = await receiver();
    const extraConfig = `[alerts]\nwebhook = ${hook.url}\n[alert:carriers]\nwhat = loss\nby = all\ncalls = 2\nraise = 0.5\n`;
    try {
      await withSimulator(async (simulator) => {
        const pace = { reportEveryMs: 500, callMs: 4000 };
        await simulator.load({ recording: '22-lossy-call', pace, legs: 4 });
        // The first post is taken and never answered: was it delivered?
        hook.answer = () => {};
        const sidecar = await startSidecarFor(simulator, { extraConfig });
        try {
          await until(() => hook.posts.length > 0, 'an alert', 120_000);
          await sidecar.kill();
          const [first] = hook.posts;
          expect(first?.alerts).toHaveLength(1);
          expect(first?.alerts[0]).toMatchObject({ status: 'active', rule: 'carriers' });

          hook.answer = (response) => response.writeHead(204).end();
          await sidecar.start();
          await until(() => hook.posts.length > 1, 'the same message again', 60_000);
          expect(hook.posts[1]).toEqual(first);
          // Acknowledged; give the acknowledgement the time to reach the disk.
          const deliveries = async (): Promise<number | undefined> =>
            (await sidecar.get<{ counters: Record<string, number> }>('/healthz')).counters['alerts_sent'];
          await expect.poll(deliveries, { timeout: 30_000 }).toBe(1);
          await sleep(500);
          await sidecar.kill();

          await sidecar.start();
          const { alerts } = await sidecar.get<{ alerts: readonly { id: string; status: string; rule: string }[] }>(
            '/v1/alerts?status=active',
          );
          const goOn = alerts.filter(({ rule }) => rule === 'carriers');
          expect(goOn.map(({ id }) => id)).toEqual([first?.alerts[0]?.id]);
          // What is told twice is told as soon as the rules have been looked at once.
          await sleep(4000);
          expect(hook.posts).toHaveLength(2);
        } finally {
          await sidecar.stop();
        }
      });
    } finally {
      await hook.close();
    }
  });
});
