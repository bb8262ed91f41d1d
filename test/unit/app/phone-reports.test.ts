import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { AmiActions } from '../../../src/asterisk/ami/ami-actions.ts';
import type { Companion, CompanionContext } from '../../../src/app/companions/companion.ts';
import { phoneReports } from '../../../src/app/companions/phone-reports.ts';
import { createLog } from '../../../src/app/state/log.ts';
import { loadSettings } from '../../../src/config/settings.ts';
import { type History, openHistory } from '../../../src/history/history.ts';
import type { ChannelRecord } from '../../../src/model/record.ts';
import { local, remote, reportBlock, Script, snapshot } from '../calls/script.ts';

const YEAR_MS = 365 * 86_400_000;
/** What Asterisk answers about the legs of alice (1) and bob (2). */
const VARIABLES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '1': { 'CHANNEL(pjsip,call-id)': '4915550100@phone', 'CHANNEL(pjsip,remote_addr)': '127.0.0.1:5060' },
  '2': {
    'CHANNEL(pjsip,call-id)': 'leg-of-bob',
    // Asterisk called him: it does not say where his answers come from, but where it sends to.
    'CHANNEL(pjsip,target_uri)': 'sip:bob@192.0.2.9:5060;transport=udp',
    'CHANNEL(rtp,src)': '203.0.113.5:10040',
  },
};
/** Of two legs. */
const ASKED = 10;
const PHONES = { '1': 'PJSIP/alice-00000001', '2': 'PJSIP/bob-00000002' } as const;

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

class Room {
  readonly script = new Script();
  readonly asked: string[] = [];
  readonly variables: Record<string, Readonly<Record<string, string>>> = { ...VARIABLES };
  readonly history: History;
  readonly companion: Companion;
  readonly port: number;

  /** A port that is free now may be taken by another program before it is bound. */
  static async open(more = '', attempts = 5): Promise<Room> {
    try {
      return await Room.#openOnce(more);
    } catch (error) {
      if (attempts === 1 || !String(error).includes('something else listens')) throw error;
      return Room.open(more, attempts - 1);
    }
  }

  static async #openOnce(more: string): Promise<Room> {
    const folder = mkdtempSync(join(tmpdir(), 'mes-heard-'));
    closers.push(() => rmSync(folder, { recursive: true }));
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const address = probe.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    probe.close();
    await once(probe, 'close');
    const text = `[ami]\nusername = mes\nsecret = s\n[phone_reports]\nbind = 127.0.0.1:${port}\n${more}`;
    const settings = loadSettings(text, 'mes.conf', {});
    const clock = { nowMs: () => Date.now() };
    const history = await openHistory({
      path: join(folder, 'mes.sqlite'),
      keepIntervalsMs: YEAR_MS,
      keepCallsMs: YEAR_MS,
      clock,
    });
    const room = new Room(settings, history, port);
    closers.push(async () => {
      await room.companion.stop?.();
      await history.close();
    });
    await room.companion.start?.();
    return room;
  }

  private constructor(settings: CompanionContext['settings'], history: History, port: number) {
    this.history = history;
    this.port = port;
    this.script.atMs = Date.now();
    const { board } = this.script;
    const companion = phoneReports({
      settings,
      log: createLog('silent'),
      clock: { nowMs: () => Date.now() },
      history,
      calls: history,
      live: board,
      tellLive: () => {},
      asteriskVersion: () => null,
      actions: {
        connected: true,
        getVariable: async (uniqueid: string, name: string) => {
          this.asked.push(`${uniqueid} ${name}`);
          return this.variables[uniqueid]?.[name];
        },
      } as unknown as AmiActions,
    });
    this.companion = companion;
  }

  /** Alice and bob talk for 20 s over networks that lose nothing. */
  talk(): void {
    const { script } = this;
    const of = (uniqueid: '1' | '2') => ({ name: PHONES[uniqueid], linkedid: '1' });
    for (const uniqueid of ['1', '2'] as const) {
      script.up(uniqueid, of(uniqueid)).codecs(uniqueid, 'ulaw');
      this.#tell(uniqueid);
    }
    for (let n = 1; n <= 4; n++) {
      script.wait(5);
      for (const uniqueid of ['1', '2'] as const) {
        const ssrc = Number(uniqueid);
        script.rtcp(
          uniqueid,
          local(reportBlock(n * 250, 0, { sourceSsrc: 0xa0 + ssrc }), { senderSsrc: ssrc }),
          of(uniqueid),
        );
        script.rtcp(uniqueid, remote(reportBlock(n * 250, 0, { sourceSsrc: ssrc }), { rttMs: 20 }), of(uniqueid));
      }
    }
  }

  #tell(uniqueid: '1' | '2'): void {
    const channel = snapshot(uniqueid, { name: PHONES[uniqueid], linkedid: '1' });
    this.companion.take?.({ type: 'channel', atMs: this.script.atMs, channel });
  }

  hangUp(): void {
    for (const uniqueid of ['1', '2'] as const) this.script.hangup(uniqueid, { name: PHONES[uniqueid], linkedid: '1' });
    this.store();
  }

  /** Resolves when the history knows that the channel has ended. */
  async stored(uniqueid: string): Promise<void> {
    await this.until(async () => {
      const channel = await this.history.channel(uniqueid);
      return channel !== null && channel.endedAtMs !== null;
    });
  }

  store(): void {
    for (const change of this.script.drain()) this.history.record(change);
  }

  /** Sends a report as a phone would, and resolves with the status of the answer. */
  async publish(callId: string, line: string, identity = 'sip:bob@pbx'): Promise<number> {
    const body = [
      'VQSessionReport: CallTerm',
      `CallID: ${callId}`,
      `LocalID: "Bob B." <${identity}>`,
      'LocalMetrics:',
      'Timestamps: START=2026-11-30T12:00:00Z STOP=2026-11-30T12:03:00Z',
      line,
      '',
    ].join('\r\n');
    const head = [
      `PUBLISH sip:mes@127.0.0.1:${this.port} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK${callId}${line.length};rport`,
      'From: <sip:bob@127.0.0.1>;tag=1',
      'To: <sip:mes@127.0.0.1>',
      'Call-ID: of-the-publish-itself',
      'CSeq: 1 PUBLISH',
      'Event: vq-rtcpxr',
      'User-Agent: Yealink SIP-T54W 96.86.0.100',
      'Content-Type: application/vq-rtcpxr',
      `Content-Length: ${Buffer.byteLength(body)}`,
    ];
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    socket.send([...head, '', body].join('\r\n'), this.port, '127.0.0.1');
    const [answer] = (await once(socket, 'message')) as [Buffer];
    socket.close();
    return Number(answer.toString().slice(8, 11));
  }

  /** Works until it is so; fails by the test's own time. */
  async until(isSo: () => Promise<boolean> | boolean): Promise<void> {
    while (!(await isSo())) {
      this.companion.tick?.(Date.now());
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  joined(): boolean {
    return this.companion.counters?.()['joined'] === 1;
  }

  heard(uniqueid: string): ChannelRecord['phone'] | undefined {
    return this.script.board.liveChannel(uniqueid)?.phone;
  }

  async answer(uniqueid: string): Promise<Record<string, unknown>> {
    const route = this.companion.routes?.find(({ path }) => path.endsWith('/phone-reports'));
    const answer = route === undefined ? {} : await route.handle({}, uniqueid, undefined);
    return route?.answer.parse(answer) as Record<string, unknown>;
  }
}

describe('phones’ own reports', () => {
  test('are joined to a live call by the leg’s Call-ID, and shown in seed 003’s names', async () => {
    const room = await Room.open('peers = 127.0.0.0/8\n');
    room.talk();
    await room.until(() => room.companion.counters?.()['legs'] === 2 && room.asked.length === ASKED);
    expect(await room.publish('leg-of-bob', 'PacketLoss: NLR=1.5 JDR=6.0\r\nDelay: RTD=120')).toBe(200);
    await room.until(() => room.joined());
    expect(room.heard('2')).toMatchObject({
      networkLossPercent: 1.5,
      discardPercent: 6,
      roundTripDelayMs: 120,
      reports: 1,
    });
    expect(room.heard('1')).toBeNull();
    room.hangUp();
    await room.stored('2');
    expect(await room.history.call('1')).toMatchObject({ faultPlace: 'callee-phone' });
    expect(await room.history.channel('2')).toMatchObject({ sipCallId: 'leg-of-bob' });
    expect(await room.answer('2')).toMatchObject({
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
    const room = await Room.open('peers = 127.0.0.0/8\n');
    room.talk();
    await room.until(() => room.asked.length === ASKED);
    room.hangUp();
    await room.stored('2');
    room.script.wait(60);
    expect(room.script.board.holds('2')).toBe(false);
    const before = await room.history.call('1');
    expect(before).toMatchObject({ faultPlace: 'none' });
    await room.publish('leg-of-bob', 'PacketLoss: NLR=0.0 JDR=6.0');
    await room.until(async () => (await room.history.call('1'))?.faultPlace !== 'none');
    const after = await room.history.call('1');
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
    const room = await Room.open();
    room.talk();
    await room.until(() => room.asked.length === ASKED);
    // Bob's phone is at 192.0.2.9, and this comes from 127.0.0.1.
    expect(await room.publish('leg-of-bob', 'PacketLoss: NLR=90.0 JDR=90.0')).toBe(200);
    await room.until(() => room.joined());
    expect(room.heard('2')).toBeNull();
    room.hangUp();
    await room.stored('2');
    expect(await room.history.call('1')).toMatchObject({ faultPlace: 'none', verdict: 'good' });
    expect(await room.answer('2')).toMatchObject({
      phone: null,
      reports: [{ from_phone: false, tx: { loss_rate: 0.9 } }],
    });
    expect(room.companion.counters?.()).toMatchObject({ joined: 1, notOfPhone: 1 });
  });

  test.each([
    ['127.0.0.1:5060', undefined, true],
    [undefined, 'sip:bob@127.0.0.1:5060;transport=tcp', true],
    [undefined, '<sips:bob@[::1]:5061>', false],
    [undefined, 'sip:bob@pbx.example:5060', false],
    ['192.0.2.9:5060', 'sip:bob@127.0.0.1', false],
  ])('from 127.0.0.1, where Asterisk says %s and %s: the phone itself %s', async (heardFrom, target, isFromPhone) => {
    const room = await Room.open();
    room.variables['2'] = {
      'CHANNEL(pjsip,call-id)': 'leg-of-bob',
      ...(heardFrom === undefined ? {} : { 'CHANNEL(pjsip,remote_addr)': heardFrom }),
      ...(target === undefined ? {} : { 'CHANNEL(pjsip,target_uri)': target }),
    };
    room.talk();
    await room.until(() => room.asked.length === ASKED);
    await room.publish('leg-of-bob', 'PacketLoss: NLR=1.0 JDR=1.0');
    await room.until(() => room.joined());
    expect(room.heard('2')?.reports).toBe(isFromPhone ? 1 : undefined);
    expect(room.companion.counters?.()['notOfPhone']).toBe(isFromPhone ? 0 : 1);
  });

  test('of a call that nobody knows are kept and counted', async () => {
    const room = await Room.open();
    expect(await room.publish('nobody', 'PacketLoss: NLR=1.0')).toBe(200);
    await room.until(() => room.companion.counters?.()['unjoined'] === 1);
    expect(await room.history.features.read('phoneReports', 'unjoined', undefined as never)).toBe(1);
  });

  test('are kept without numbers and names when callers’ numbers are masked, and joined all the same', async () => {
    const room = await Room.open('[history]\nnumbers = masked\n');
    room.talk();
    await room.until(() => room.asked.length === ASKED);
    await room.publish('4915550100@phone', 'PacketLoss: NLR=1.0 JDR=0.0', 'sip:+4915550100@pbx');
    await room.until(() => room.joined());
    room.hangUp();
    await room.stored('1');
    const shown = JSON.stringify([await room.answer('1'), await room.history.channel('1')]);
    expect(shown).not.toMatch(/15550|Bob B|alice@/);
    expect(await room.answer('1')).toMatchObject({
      sip_call_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      reports: [{ local_id: expect.stringMatching(/^sip:\*+100@pbx$/), from_phone: true }],
    });
  });

  test('are asked of Asterisk once a channel: the dialog and its addresses', async () => {
    const room = await Room.open();
    room.talk();
    await room.until(() => room.asked.length === ASKED);
    room.talk();
    for (let tick = 0; tick < 5; tick++) room.companion.tick?.(Date.now());
    expect(room.asked.toSorted()).toEqual(
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
    const room = await Room.open();
    const settings = loadSettings(
      `[ami]\nusername = m\nsecret = s\n[phone_reports]\nbind = 127.0.0.1:${room.port}\n`,
      'mes.conf',
      {},
    );
    const another = phoneReports({
      settings,
      clock: { nowMs: () => 0 },
      log: createLog('silent'),
    } as unknown as CompanionContext);
    await expect(another.start?.()).rejects.toThrow(
      `cannot take phones' reports on 127.0.0.1:${room.port}: something else listens there; change bind in [phone_reports]`,
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
  await expect(route?.handle({}, '1796059698.15', undefined)).resolves.toEqual({
    uniqueid: '1796059698.15',
    sip_call_id: null,
    phone: null,
    reports: [],
  });
});
