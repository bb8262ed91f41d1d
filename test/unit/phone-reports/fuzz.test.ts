import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { phoneReportRoutes } from '../../../src/api/phone/reports.ts';
import type { PhoneHearing, PhoneReport } from '../../../src/model/phones/phone-report.ts';
import type { ChannelRecord } from '../../../src/model/record.ts';
import { judgeRequest } from '../../../src/phone-reports/answer.ts';
import { noteHeard } from '../../../src/stats/phone-hearing.ts';
import { MAX_SIP_MESSAGE_BYTES, readSipDatagram, type SipMessage } from '../../../src/wire/sip/message.ts';
import { responsePort, sipResponse } from '../../../src/wire/sip/response.ts';
import { SipStreamReader } from '../../../src/wire/sip/stream.ts';
import { fuzz, FUZZ_TIMEOUT_MS, jsonOf, readCorpus } from '../fuzz-corpus.ts';
import { routeRequest } from '../api/route-request.ts';

const PEER = { address: '192.0.2.9', port: 5060 };
const TAG = '0123456789abcdef';
/** A response repeats five header fields of the request, and adds a few of its own. */
const MOST_ADDED = 400;

/** What comes out of bytes that reached the collector's port. */
interface Taken {
  readonly reports: readonly PhoneReport[];
  readonly responses: readonly string[];
  readonly shown: string;
}

/** What the collector does with one message. Throws where a response is not one message of SIP. */
function answer(message: SipMessage, taken: { reports: PhoneReport[]; responses: string[] }): void {
  const { response, report } = judgeRequest(message, TAG);
  if (report !== null) taken.reports.push(report);
  if (response === null) return;
  const text = sipResponse(message, PEER, response, TAG);
  if (text === undefined) return;
  const port = responsePort(message, PEER);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error(`it would answer to port ${port}`);
  const again = readSipDatagram(text);
  if (again === undefined || again === 'cut' || again.start.kind !== 'response' || again.body !== '') {
    throw new Error(`its response is none: ${text}`);
  }
  const repeated = message.headers.reduce((sum, { name, value }) => sum + name.length + value.length + 4, 0);
  if (text.length > repeated + MOST_ADDED) throw new Error('its response is far larger than the request');
  taken.responses.push(text);
}

/** Throws where what is stored and shown of the reports holds what cannot be. */
async function show(reports: readonly PhoneReport[]): Promise<string> {
  let phone: PhoneHearing | null = null;
  for (const report of reports) phone = noteHeard(phone, report, null);
  const [route] = phoneReportRoutes({
    channel: async () => ({ sipCallId: null, phone }) as unknown as ChannelRecord,
    reports: async () =>
      reports.map((report) => ({
        report,
        atMs: 1_700_000_000_000,
        fromAddress: PEER.address,
        userAgent: null,
        uniqueid: '1',
        joinedBy: 'call-id',
        isFromPhone: true,
      })),
  });
  return jsonOf([reports, phone, route?.answer.parse(await route.handle(routeRequest({}, '1')))]);
}

/** On a connection, in pieces of so many bytes. */
async function takeStream(bytes: Buffer, pieceBytes: number): Promise<Taken> {
  const reader = new SipStreamReader();
  const taken = { reports: [], responses: [] };
  for (let start = 0; start < bytes.length; start += pieceBytes) {
    for (const item of reader.push(bytes.subarray(start, start + pieceBytes))) {
      if (item.kind === 'message') answer(item.message, taken);
    }
  }
  return { ...taken, shown: await show(taken.reports) };
}

/** As one datagram. */
async function takeDatagram(bytes: Buffer): Promise<Taken> {
  const message = readSipDatagram(bytes.toString('utf8'));
  const taken = { reports: [], responses: [] };
  if (message !== undefined && message !== 'cut') answer(message, taken);
  return { ...taken, shown: await show(taken.reports) };
}

describe.each(readCorpus('sip'))('$name', (input) => {
  const { bytes } = input;

  test('means the same in pieces of any size, and is answered', async () => {
    const whole = await takeStream(bytes, bytes.length);
    expect(whole.responses.length).toBeGreaterThan(0);
    for (const size of [1, 7, 100, 1460]) expect(await takeStream(bytes, size)).toEqual(whole);
  });

  test('does no harm however it is changed', { timeout: FUZZ_TIMEOUT_MS }, async () => {
    const pieceBytes = fc.integer({ min: 8, max: 4096 });
    const work = async (copy: Buffer, size: number) => [await takeStream(copy, size), await takeDatagram(copy)];
    expect(await fuzz({ input, folder: 'sip', runs: 150, pieceBytes, work })).toBeNull();
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});

test('six ways of phones on one connection are six reports', async () => {
  const input = readCorpus('sip').find(({ name }) => name === 'seed-quirks-on-one-connection');
  const { reports, responses } = await takeStream(input?.bytes ?? Buffer.alloc(0), 1460);
  expect(reports.map(({ kind, callId }) => [kind, callId])).toEqual([
    ['interval', 'a@b'],
    ['session', '313233@192.0.2.9'],
    ['session', 'x@y'],
    ['session', null],
    ['interval', 'c'],
    ['alert', 'c'],
  ]);
  expect(responses.map((text) => text.split('\r\n', 1)[0])).toEqual(Array.from({ length: 6 }, () => 'SIP/2.0 200 OK'));
});

test.each([
  ['empty lines inside of a head that never ends', 'OPTIONS a SIP/2.0\r\n', 'A: b\r\n'],
  ['line ends', '', 'x\n'],
  ['blanks behind them', 'OPTIONS a SIP/2.0\r\n', ' \n'],
])('a message that comes by single bytes costs little: %s', (_, start, unit) => {
  const text = Buffer.from(start + unit.repeat(Math.floor((MAX_SIP_MESSAGE_BYTES - start.length) / unit.length)));
  const reader = new SipStreamReader();
  const before = process.cpuUsage();
  let items = 0;
  for (const byte of text) items += reader.push(Buffer.of(byte)).length;
  const { user, system } = process.cpuUsage(before);
  expect(items).toBeLessThan(2);
  expect((user + system) / 1000).toBeLessThan(1000);
});
