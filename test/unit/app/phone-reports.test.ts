import { describe, expect, test } from 'vitest';
import type { CompanionContext } from '../../../src/app/companions/companion.ts';
import { phoneReports } from '../../../src/app/companions/phone-reports.ts';
import { createLog } from '../../../src/app/state/log.ts';
import { loadSettings } from '../../../src/config/settings.ts';
import { ASKED, ReportingPhones } from './reporting-phones.ts';
import { routeRequest } from '../api/route-request.ts';

describe('phones’ own reports', () => {
  test('are joined to a live call by the leg’s Call-ID, and shown in seed 003’s names', async () => {
    const phones = await ReportingPhones.open('peers = 127.0.0.0/8\n');
    phones.talk();
    await phones.until(() => phones.companion.counters?.()['legs'] === 2 && phones.asked.length === ASKED);
    expect(await phones.publish('leg-of-bob', 'PacketLoss: NLR=1.5 JDR=6.0\r\nDelay: RTD=120')).toBe(200);
    await phones.until(() => phones.joined());
    expect(phones.heard('2')).toMatchObject({
      networkLossPercent: 1.5,
      discardPercent: 6,
      roundTripDelayMs: 120,
      reports: 1,
    });
    expect(phones.heard('1')).toBeNull();
    phones.hangUp();
    await phones.stored('2');
    expect(await phones.history.call('1')).toMatchObject({ faultPlace: 'callee-phone' });
    expect(await phones.history.channel('2')).toMatchObject({ sipCallId: 'leg-of-bob' });
    expect(await phones.answer('2')).toMatchObject({
      uniqueid: '2',
      sip_call_id: 'leg-of-bob',
      phone: { network_loss_percent: 1.5, discard_percent: 6 },
      reports: [
        {
          kind: 'session',
          from_address: '127.0.0.1',
          from_phone: true,
          joined_by: 'call-id',
          user_agent: 'Yealink SIP-T54W 96.86.0.100',
          local_id: '"Bob B." <sip:bob@pbx>',
          tx: {
            loss_rate: 0.015,
            discard_rate: 0.06,
            round_trip_delay_ms: 120,
            mos_lq: null,
            started_at: '2026-11-30T12:00:00.000Z',
          },
          rx: null,
        },
      ],
    });
  });

  test('that come after the call, and after it was forgotten, change its reasons and not its scores', async () => {
    const phones = await ReportingPhones.open('peers = 127.0.0.0/8\n');
    phones.talk();
    await phones.until(() => phones.asked.length === ASKED);
    phones.hangUp();
    await phones.stored('2');
    phones.script.wait(60);
    expect(phones.script.board.holds('2')).toBe(false);
    const before = await phones.history.call('1');
    expect(before).toMatchObject({ faultPlace: 'none' });
    await phones.publish('leg-of-bob', 'PacketLoss: NLR=0.0 JDR=6.0');
    await phones.until(async () => (await phones.history.call('1'))?.faultPlace !== 'none');
    const after = await phones.history.call('1');
    expect(after).toMatchObject({
      faultPlace: 'callee-phone',
      mes: before?.mes,
      mesMin: before?.mesMin,
      verdict: 'good',
    });
    const [alice, bob] = [0, 1].map((index) => after?.channels[index]);
    expect(bob?.phone).toMatchObject({ discardPercent: 6 });
    expect(bob?.streams.find(({ direction }) => direction === 'tx')?.why).toContain('threw away 6.0 %');
    expect(alice).toEqual(before?.channels[0]);
    expect(bob?.streams.map(({ mes }) => mes)).toEqual(before?.channels[1]?.streams.map(({ mes }) => mes));
  });

  test('of a stranger are shown as such, and nothing of the call changes', async () => {
    const phones = await ReportingPhones.open();
    phones.talk();
    await phones.until(() => phones.asked.length === ASKED);
    // Bob's phone is at 192.0.2.9, and this comes from 127.0.0.1.
    expect(await phones.publish('leg-of-bob', 'PacketLoss: NLR=90.0 JDR=90.0')).toBe(200);
    await phones.until(() => phones.joined());
    expect(phones.heard('2')).toBeNull();
    phones.hangUp();
    await phones.stored('2');
    expect(await phones.history.call('1')).toMatchObject({ faultPlace: 'none', verdict: 'good' });
    expect(await phones.answer('2')).toMatchObject({
      phone: null,
      reports: [{ from_phone: false, tx: { loss_rate: 0.9 } }],
    });
    expect(phones.companion.counters?.()).toMatchObject({ joined: 1, notOfPhone: 1 });
  });

  test.each([
    ['127.0.0.1:5060', undefined, true],
    [undefined, 'sip:bob@127.0.0.1:5060;transport=tcp', true],
    [undefined, '<sips:bob@[::1]:5061>', false],
    [undefined, 'sip:bob@pbx.example:5060', false],
    ['192.0.2.9:5060', 'sip:bob@127.0.0.1', false],
  ])('from 127.0.0.1, where Asterisk says %s and %s: the phone itself %s', async (heardFrom, target, isFromPhone) => {
    const phones = await ReportingPhones.open();
    phones.variables['2'] = {
      'CHANNEL(pjsip,call-id)': 'leg-of-bob',
      ...(heardFrom === undefined ? {} : { 'CHANNEL(pjsip,remote_addr)': heardFrom }),
      ...(target === undefined ? {} : { 'CHANNEL(pjsip,target_uri)': target }),
    };
    phones.talk();
    await phones.until(() => phones.asked.length === ASKED);
    await phones.publish('leg-of-bob', 'PacketLoss: NLR=1.0 JDR=1.0');
    await phones.until(() => phones.joined());
    expect(phones.heard('2')?.reports).toBe(isFromPhone ? 1 : undefined);
    expect(phones.companion.counters?.()['notOfPhone']).toBe(isFromPhone ? 0 : 1);
  });

  test('of a call that nobody knows are kept and counted', async () => {
    const phones = await ReportingPhones.open();
    expect(await phones.publish('nobody', 'PacketLoss: NLR=1.0')).toBe(200);
    await phones.until(() => phones.companion.counters?.()['unjoined'] === 1);
    expect(await phones.history.features.read('phoneReports', 'unjoined', undefined as never)).toBe(1);
  });

  test('are kept without numbers and names when callers’ numbers are masked, and joined all the same', async () => {
    const phones = await ReportingPhones.open('[history]\nnumbers = masked\n');
    phones.talk();
    await phones.until(() => phones.asked.length === ASKED);
    const agent = 'Softphone 4915550100 1.2.3';
    await phones.publish('4915550100@phone', 'PacketLoss: NLR=1.0 JDR=0.0', 'sip:+4915550100@pbx', agent);
    await phones.until(() => phones.joined());
    phones.hangUp();
    await phones.stored('1');
    const shown = JSON.stringify([await phones.answer('1'), await phones.history.channel('1')]);
    expect(shown).not.toMatch(/15550|Bob B|alice@/);
    expect(await phones.answer('1')).toMatchObject({
      sip_call_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      reports: [
        {
          local_id: expect.stringMatching(/^sip:\*+100@pbx$/),
          from_phone: true,
          user_agent: 'Softphone *******100 1.2.3',
        },
      ],
    });
  });

  test('are asked of Asterisk once a channel: the dialog and its addresses', async () => {
    const phones = await ReportingPhones.open();
    phones.talk();
    await phones.until(() => phones.asked.length === ASKED);
    phones.talk();
    for (let tick = 0; tick < 5; tick++) phones.companion.tick?.(Date.now());
    expect(phones.asked.toSorted()).toEqual(
      ['1', '2'].flatMap((uniqueid) =>
        [
          'CHANNEL(pjsip,call-id)',
          'CHANNEL(pjsip,remote_addr)',
          'CHANNEL(pjsip,target_uri)',
          'CHANNEL(rtp,dest)',
          'CHANNEL(rtp,src)',
        ].map((name) => `${uniqueid} ${name}`),
      ),
    );
  });

  test('are not taken, in one sentence, where something else listens', async () => {
    const phones = await ReportingPhones.open();
    const settings = loadSettings(
      `[ami]\nusername = m\nsecret = s\n[phone_reports]\nbind = 127.0.0.1:${phones.port}\n`,
      'mes.conf',
      {},
    );
    const another = phoneReports({
      settings,
      clock: { nowMs: () => 0 },
      log: createLog('silent'),
    } as unknown as CompanionContext);
    await expect(another.start?.()).rejects.toThrow(
      `cannot take phones' reports on 127.0.0.1:${phones.port}: something else listens there; change bind in [phone_reports]`,
    );
  });
});

test('without bind no port is opened, and what there is can be asked for', async () => {
  const settings = loadSettings('[ami]\nusername = m\nsecret = s\n', 'mes.conf', {});
  const calls = { channel: async () => ({ sipCallId: null, phone: null }) };
  const history = { features: { read: async () => [] } };
  const companion = phoneReports({ settings, calls, history } as unknown as CompanionContext);
  expect(Object.keys(companion)).toEqual(['routes']);
  const [route, ...others] = companion.routes ?? [];
  expect(others).toEqual([]);
  expect(route?.path).toBe('/v1/channels/:uniqueid/phone-reports');
  await expect(route?.handle(routeRequest({}, '1796059698.15'))).resolves.toEqual({
    uniqueid: '1796059698.15',
    sip_call_id: null,
    phone: null,
    reports: [],
  });
});
