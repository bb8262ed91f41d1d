import { expect, it } from 'vitest';
import { alertMessage } from '../../../src/alerting/messages/words.ts';
import { alertSenders } from '../../../src/app/companions/alerts/alert-senders.ts';
import { AmiActionError } from '../../../src/asterisk/ami/ami-actions.ts';
import { loadSettings } from '../../../src/config/settings.ts';
import type { Alert } from '../../../src/model/alert.ts';

const START_MS = 1_795_168_800_000;
const ALERT: Alert = {
  id: 'a1',
  rule: 'loss',
  what: 'loss',
  subject: 'PJSIP/a\r\nAction: Originate\r\nChannel: PJSIP/b',
  sinceMs: START_MS - 60_000,
  raisedAtMs: START_MS,
  clearedAtMs: null,
  clearedBecause: null,
  value: 4,
  worst: 4,
  calls: 2,
  linkedids: ['1.1'],
  place: null,
  toldAtMs: START_MS,
  endToldAtMs: null,
};

function eventOf(alerts: readonly Alert[], send: () => Promise<void> = async () => undefined) {
  const sent: Record<string, string>[] = [];
  const denied: string[] = [];
  const { alerts: settings } = loadSettings('[ami]\nusername = m\nsecret = s\n', 'mes.conf', {});
  const senders = alertSenders({
    settings,
    actions: {
      send: (async (action: string, fields: Record<string, string>) => {
        sent.push({ ...fields, action });
        await send();
      }) as never,
    },
    clock: { nowMs: () => START_MS },
    onDenied: (sentence) => denied.push(sentence),
  });
  expect(Object.keys(senders)).toEqual(['ami']);
  const frame = { id: 'm1', atMs: START_MS, host: 'pbx1', rules: [], linkOf: () => 'http://pbx1/s/x.y' };
  return { done: senders.ami?.(alertMessage(alerts, frame)), sent, denied };
}

it('tells Asterisk of an alert in one event, into which no name brings a header of its own', async () => {
  const { done, sent } = eventOf([ALERT, { ...ALERT, id: 'a2', subject: 'x'.repeat(5000), clearedAtMs: START_MS }]);
  await done;
  expect(sent).toHaveLength(1);
  const [event = {}] = sent;
  expect(event).toMatchObject({
    action: 'UserEvent',
    UserEvent: 'MesAlert',
    MesId: 'm1',
    MesAlerts: '2',
    MesStatus: 'active',
    MesRule: 'loss',
    MesEndpoint: 'PJSIP/a Action: Originate Channel: PJSIP/b',
    MesSince: '2026-11-20T09:59:00.000Z',
  });
  for (const value of Object.values(event)) {
    expect(value).not.toMatch(/[\r\n]/);
    expect(value.length).toBeLessThanOrEqual(400);
  }
});

it('says which right is missing, and does not try for a week', async () => {
  const { done, denied } = eventOf([ALERT], () => Promise.reject(new AmiActionError('denied', 'Permission denied')));
  await expect(done).resolves.toBeUndefined();
  expect(denied).toEqual([expect.stringContaining('add "user" to write')]);
  const away = eventOf([ALERT], () => Promise.reject(new Error('no connection')));
  await expect(away.done).rejects.toThrow('no connection');
});
