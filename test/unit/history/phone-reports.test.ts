import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ReportToKeep } from '../../../src/history/features/phone-reports.ts';
import { type History, openHistory } from '../../../src/history/history.ts';
import type { SipLeg } from '../../../src/model/phones/phone-report.ts';
import { readPhoneReport } from '../../../src/wire/vq-report/report.ts';
import { callRecord, channelRecord, START_MS } from './records.ts';

const DAY_MS = 86_400_000;
const PHONE = '198.51.100.7';
let folder = '';
let history: History;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mes-phone-reports-'));
  const clock = { nowMs: () => START_MS };
  history = await openHistory({
    path: join(folder, 'mes.sqlite'),
    keepIntervalsMs: DAY_MS,
    keepCallsMs: DAY_MS,
    clock,
  });
});
afterEach(async () => {
  await history.close();
  rmSync(folder, { recursive: true });
});

interface Sent {
  readonly callId?: string | null;
  readonly local?: string;
  readonly remote?: string;
  readonly stop?: string;
  readonly metrics?: string;
  readonly from?: string;
  readonly isFromPeer?: boolean;
  readonly atMs?: number;
}

function sent(of: Sent = {}): ReportToKeep {
  const { callId = 'leg-a', stop = '12:03:00', metrics = 'PacketLoss: NLR=1.0 JDR=6.0' } = of;
  const report = readPhoneReport(
    [
      'VQSessionReport: CallTerm',
      ...(callId === null ? [] : [`CallID: ${callId}`]),
      `LocalAddr: ${of.local ?? 'IP=192.168.1.20 PORT=12000 SSRC=0x0a'}`,
      `RemoteAddr: ${of.remote ?? 'IP=203.0.113.5 PORT=10040 SSRC=0x01'}`,
      'LocalMetrics:',
      ...(stop === '' ? [] : [`Timestamps: START=2026-11-30T12:00:00Z STOP=2026-11-30T${stop}Z`]),
      metrics,
    ].join('\r\n'),
  );
  if (report === undefined) throw new Error('the test writes no report');
  return {
    report,
    atMs: of.atMs ?? START_MS,
    fromAddress: of.from ?? PHONE,
    userAgent: 'P',
    isFromPeer: of.isFromPeer ?? false,
  };
}

const LEG: SipLeg = {
  uniqueid: '1.2',
  sipCallId: 'leg-a',
  signallingAddress: PHONE,
  localMedia: '203.0.113.5:10040',
  remoteMedia: `${PHONE}:40000`,
  rxSsrc: 0x0a,
  txSsrc: 0x01,
};

const note = async (leg: Partial<SipLeg> = {}, atMs = START_MS) =>
  history.features.write('phoneReports', 'noteLeg', { leg: { ...LEG, ...leg }, atMs });
const keep = async (...reports: readonly ReportToKeep[]) => history.features.write('phoneReports', 'keep', reports);

test('a report belongs to the channel whose SIP Call-ID it names, and is shown with where it came from', async () => {
  await note();
  const one = sent();
  const { isFromPeer: _, ...received } = one;
  const joined = { ...received, uniqueid: '1.2', joinedBy: 'call-id', isFromPhone: true };
  expect(await keep(one)).toEqual({ joined: [joined], repeated: 0, unjoined: 0, dropped: 0 });
  expect(await history.features.read('phoneReports', 'ofChannel', '1.2')).toEqual([joined]);
  expect(await history.features.read('phoneReports', 'ofChannel', '1.1')).toEqual([]);
});

test('a report that is sent again counts once; another span, or without a span other numbers, is another report', async () => {
  await note();
  expect(await keep(sent(), sent({ atMs: START_MS + 500 }))).toMatchObject({
    repeated: 1,
    joined: [{ uniqueid: '1.2' }],
  });
  expect(await keep(sent())).toMatchObject({ repeated: 1, joined: [] });
  expect(await keep(sent({ stop: '12:03:05' }))).toMatchObject({ repeated: 0, joined: [{ uniqueid: '1.2' }] });
  const web = (nlr: number) => sent({ stop: '', metrics: `PacketLoss: NLR=${nlr}` });
  expect(await keep(web(1), web(2), web(1))).toMatchObject({ repeated: 1, joined: [{}, {}] });
});

test('a report that comes before its channel is known waits, and is found when it is', async () => {
  expect(await keep(sent())).toMatchObject({ joined: [], unjoined: 1 });
  expect(await history.features.read('phoneReports', 'unjoined', undefined as never)).toBe(1);
  expect(await note({ sipCallId: 'another', txSsrc: null, rxSsrc: null })).toEqual([]);
  expect(await note()).toMatchObject([{ uniqueid: '1.2', joinedBy: 'call-id', isFromPhone: true }]);
  expect(await history.features.read('phoneReports', 'unjoined', undefined as never)).toBe(0);
  expect(await note()).toEqual([]);
});

test('without a Call-ID, an SSRC and an address must both fit, and only one leg may', async () => {
  await note();
  const lost = { callId: null } as const;
  expect(await keep(sent(lost))).toMatchObject({ joined: [{ uniqueid: '1.2', joinedBy: 'address' }] });
  // The phone's own end, behind no NAT; the SSRC of its audio alone.
  const own = { ...lost, local: `IP=${PHONE} PORT=40000 SSRC=0x0a`, remote: 'IP=203.0.113.99 PORT=1 SSRC=0x77' };
  expect(await keep(sent(own))).toMatchObject({ joined: [{ joinedBy: 'address' }] });
  const wrongSsrc = {
    ...lost,
    local: 'IP=192.168.1.20 PORT=1 SSRC=0x99',
    remote: 'IP=203.0.113.5 PORT=10040 SSRC=0x98',
  };
  const wrongAddress = { ...lost, stop: '12:08:00', remote: 'IP=203.0.113.5 PORT=10042 SSRC=0x01' };
  expect(await keep(sent(wrongSsrc), sent(wrongAddress))).toMatchObject({ joined: [], unjoined: 2 });
  // In a native bridge both legs have one SSRC, but not one port.
  await note({ uniqueid: '1.1', sipCallId: 'leg-b', localMedia: '203.0.113.5:10042', remoteMedia: null });
  expect(await keep(sent({ ...wrongAddress, stop: '12:09:00' }))).toMatchObject({ joined: [{ uniqueid: '1.1' }] });
});

test("where this server called itself, two legs have one Call-ID: media tells which, or the report is nobody's", async () => {
  await note();
  await note({ uniqueid: '1.9', localMedia: '203.0.113.5:10044', remoteMedia: null, rxSsrc: 0x0b, txSsrc: 0x02 });
  const ofOther = { local: 'IP=10.0.0.1 PORT=1 SSRC=0x0b', remote: 'IP=10.0.0.2 PORT=2 SSRC=0x02' };
  expect(await keep(sent(ofOther))).toMatchObject({ joined: [{ uniqueid: '1.9', joinedBy: 'call-id' }] });
  const ofNeither = { local: 'IP=10.0.0.1 PORT=1 SSRC=0x0c', remote: 'IP=10.0.0.2 PORT=2 SSRC=0x03' };
  expect(await keep(sent(ofNeither))).toMatchObject({ joined: [], unjoined: 1 });
});

test("is only the phone's when it comes from its address, or from a peer", async () => {
  await note({ signallingAddress: '203.0.113.77' });
  const whose = async (of: Sent) => (await keep(sent(of))).joined.map(({ isFromPhone }) => isFromPhone);
  expect(await whose({ from: '192.0.2.66', stop: '12:01:00' })).toEqual([false]);
  expect(await whose({ from: PHONE, stop: '12:02:00' })).toEqual([true]);
  expect(await whose({ from: '203.0.113.77', stop: '12:03:00' })).toEqual([true]);
  expect(await whose({ from: '192.0.2.66', stop: '12:04:00', isFromPeer: true })).toEqual([true]);
  // A stranger's report with the same span does not take the place of the phone's.
  expect(await whose({ from: PHONE, stop: '12:01:00' })).toEqual([true]);
});

test('what belongs to nobody is given up after a while, with legs that ended; those that are up stay', async () => {
  await note({ uniqueid: '1.7', sipCallId: 'long' }, START_MS - 3 * DAY_MS);
  await note({ uniqueid: '1.8', sipCallId: 'gone' }, START_MS - 3 * DAY_MS);
  await keep(
    sent({ callId: 'x', remote: '', local: '', atMs: START_MS - 2 * DAY_MS }),
    sent({ callId: 'y', remote: '', local: '' }),
  );
  const request = { up: ['1.7'], beforeMs: START_MS - DAY_MS, nowMs: START_MS };
  expect(await history.features.write('phoneReports', 'expire', request)).toBe(1);
  expect(await history.features.read('phoneReports', 'unjoined', undefined as never)).toBe(1);
  const plain = { remote: '', local: '' };
  expect(await keep(sent({ ...plain, callId: 'long' }))).toMatchObject({ joined: [{ uniqueid: '1.7' }] });
  expect(await keep(sent({ ...plain, callId: 'gone' }))).toMatchObject({ joined: [], unjoined: 1 });
});

test('a flood of reports that belong to nobody takes bounded room, the oldest going first', async () => {
  const flood = (from: number) =>
    Array.from({ length: 1000 }, (_, n) =>
      sent({ callId: `stranger-${from + n}`, local: '', remote: '', atMs: START_MS + from + n }),
    );
  let dropped = 0;
  for (let from = 0; from < 21_000; from += 1000) dropped += (await keep(...flood(from))).dropped;
  expect(dropped).toBe(1000);
  expect(await history.features.read('phoneReports', 'unjoined', undefined as never)).toBe(20_000);
  const found = async (callId: string) => note({ sipCallId: callId, rxSsrc: null, txSsrc: null });
  expect(await found('stranger-999')).toEqual([]);
  expect(await found('stranger-1000')).toHaveLength(1);
});

test('what comes after the call changes its reasons and no score, and goes with it', async () => {
  const channel = channelRecord('1.2', { linkedid: '1.1', phone: null });
  const call = callRecord('1.1', { startedAtMs: channel.startedAtMs });
  history.record({ kind: 'channel', channel, resume: null });
  history.record({ kind: 'call', call });
  const phone = { ...channelRecord('x').phone } as NonNullable<typeof channel.phone>;
  await history.channel('1.2');
  const fault = { faultPlace: 'callee-phone', faultCertainty: 'likely', faultReports: 9, faultWhy: 'heard' } as const;
  await history.features.write('phoneReports', 'amend', { linkedid: '1.1', uniqueid: '1.2', phone, fault, why: 'W' });
  const after = await history.call('1.1');
  expect(after).toMatchObject({ ...call, ...fault, channels: [{ uniqueid: '1.2', phone, mes: channel.mes }] });
  const whys = after?.channels[0]?.streams.map(({ direction, why }) => [direction, why]);
  const before = channel.streams.map(({ direction, why }) => [direction, direction === 'tx' ? 'W' : why]);
  expect(whys).toEqual(before);
});
