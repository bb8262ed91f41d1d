import { afterEach, beforeEach, expect, it } from 'vitest';
import { Mailer } from '../../../src/alerts/mail.ts';
import type { AlertMessage } from '../../../src/model/alert.ts';
import { testMailServer, type TestMailServer } from './smtp-server.ts';

const MESSAGE: AlertMessage = {
  id: '5f0c7b0e',
  atMs: 1_795_168_800_000,
  kind: 'alerts',
  subject: 'pbx1: loss at PJSIP/carrier: calls lose 4 % of their packets',
  text: 'loss at PJSIP/carrier\n',
  html: null,
  json: '{}',
};

let server: TestMailServer;
beforeEach(async () => {
  server = await testMailServer();
});
afterEach(() => server.close());

function mailer(
  part: { password?: string | null; to?: string[]; port?: number; isThisMachine?: boolean } = {},
): Mailer {
  const { password = 'secret', to = ['team@example.com'], port = server.port, isThisMachine = true } = part;
  const user = password === null ? null : 'mes';
  const options = { host: '127.0.0.1', port, isTls: false, user, password, isThisMachine };
  return new Mailer({ server: options, from: 'pbx@example.com', to, timeoutMs: 2000 });
}

it('mails over STARTTLS, as the user it was given', async () => {
  await mailer({ to: ['a@example.com', 'b@example.com'] }).send(MESSAGE);
  expect(server.mails).toHaveLength(1);
  const [mail] = server.mails;
  expect(mail).toMatchObject({
    from: 'pbx@example.com',
    to: ['a@example.com', 'b@example.com'],
    user: 'mes',
    isTls: true,
  });
  expect(mail?.text).toContain('Message-ID: <5f0c7b0e@asterisk-mes.invalid>');
  expect(mail?.text).toContain('Auto-Submitted: auto-generated');
  expect(mail?.text).toContain('loss at PJSIP/carrier');
  expect(server.readable).toEqual([]);
});

it('says that a password is wrong, and never which', async () => {
  const sent = mailer({ password: 'hunter2' }).send(MESSAGE);
  await expect(sent).rejects.toThrow(/refused user and password \(535 .*\); check smtp in \[alerts\]$/);
  await expect(sent).rejects.not.toThrow(/hunter2/);
  await expect(sent).rejects.toMatchObject({ isRefused: false });
  expect(server.mails).toEqual([]);
});

it('sends nothing readable to a server without STARTTLS, unless it is this machine and no password is at stake', async () => {
  const plain = await testMailServer({ hasStartTls: false, needsAuth: false });
  await expect(mailer({ port: plain.port }).send(MESSAGE)).rejects.toThrow(/does not speak STARTTLS/);
  const elsewhere = mailer({ port: plain.port, password: null, isThisMachine: false });
  await expect(elsewhere.send(MESSAGE)).rejects.toThrow(/does not speak STARTTLS/);
  expect(plain.readable).toEqual([]);
  expect(plain.mails).toEqual([]);
  await mailer({ port: plain.port, password: null }).send(MESSAGE);
  expect(plain.mails.map(({ isTls, user }) => [isTls, user])).toEqual([[false, undefined]]);
  await plain.close();
});

it('trusts no certificate of its own making but on this machine', async () => {
  await expect(mailer({ isThisMachine: false }).send(MESSAGE)).rejects.toThrow(/certificate/);
  expect(server.mails).toEqual([]);
  expect(server.readable).toEqual([]);
});

it('comes later to those who are greylisted, and mails nobody else again', async () => {
  server.greylist.add('later@example.com');
  const patient = mailer({ to: ['now@example.com', 'later@example.com'] });
  await expect(patient.send(MESSAGE)).rejects.toThrow(/come later \(.*451/);
  await expect(patient.send(MESSAGE)).rejects.toThrow(/come later \(.*451/);
  server.greylist.clear();
  await patient.send(MESSAGE);
  expect(server.mails.map(({ to }) => to)).toEqual([['now@example.com'], ['later@example.com']]);
});

it('says that a recipient does not exist, and mails the others', async () => {
  const some = mailer({ to: ['nobody@example.com', 'team@example.com'] });
  const failed = some.send(MESSAGE);
  await expect(failed).rejects.toThrow(/refused the mail \(.*550/);
  // Later mails need not wait for one that nobody will ever take.
  await expect(failed).rejects.toMatchObject({ isRefused: true });
  expect(server.mails.map(({ to }) => to)).toEqual([['team@example.com']]);
});

it('says that the server cannot be reached', async () => {
  const { port } = server;
  await server.close();
  await expect(mailer({ port }).send(MESSAGE)).rejects.toThrow(new RegExp(`127\\.0\\.0\\.1:${port} cannot be reached`));
  server = await testMailServer({ port });
  await mailer().send(MESSAGE);
  expect(server.mails).toHaveLength(1);
});
