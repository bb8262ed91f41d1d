import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { ReceivedPhoneReport } from '../../../src/model/phones/phone-report.ts';
import type { Subnet } from '../../../src/model/subnet.ts';
import { AdmittedRate } from '../../../src/phone-reports/admitted-rate.ts';
import { PhoneReportCollector } from '../../../src/phone-reports/collector.ts';

const BODY = [
  'VQSessionReport: CallTerm',
  'CallID: leg-1',
  'LocalAddr: IP=127.0.0.1 PORT=12000 SSRC=0x1',
  'LocalMetrics:',
  'Timestamps: START=2026-11-30T12:00:00Z STOP=2026-11-30T12:03:00Z',
  'PacketLoss: NLR=1.2 JDR=6.0',
  '',
].join('\r\n');

interface Request {
  readonly method?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
  readonly branch?: string;
}

function request({ method = 'PUBLISH', headers, body = BODY, branch = 'z9hG4bK1' }: Request = {}): string {
  return [
    `${method} sip:mes@127.0.0.1 SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1;branch=${branch};rport`,
    'From: <sip:214@127.0.0.1>;tag=1',
    'To: <sip:mes@127.0.0.1>',
    `Call-ID: report-${branch}`,
    `CSeq: 1 ${method}`,
    ...(headers ?? [
      'Event: vq-rtcpxr',
      'Content-Type: application/vq-rtcpxr',
      'User-Agent: Yealink SIP-T46S 66.86.0.15',
    ]),
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function collector(peers: readonly Subnet[] = []) {
  const reports: ReceivedPhoneReport[] = [];
  let token = 0;
  const started = new PhoneReportCollector({
    host: '127.0.0.1',
    port: 0,
    peers,
    nowMs: () => 1_000_000,
    randomToken: () => `t${++token}`,
    onReport: (report) => reports.push(report),
  });
  const port = await started.listen();
  closers.push(() => started.close());
  return { started, port, reports };
}

/** A phone on UDP that waits for one answer after what it sends. */
async function udpPhone(port: number): Promise<(text: string) => Promise<string>> {
  const socket: UdpSocket = createSocket('udp4');
  socket.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  closers.push(async () => void socket.close());
  return async (text) => {
    const answer = once(socket, 'message');
    socket.send(text);
    return String((await answer)[0]);
  };
}

async function tcpPhone(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  closers.push(async () => void socket.destroy());
  return socket;
}

describe('over UDP', () => {
  test('a report is taken, and answered as RFC 3903 wants it', async () => {
    const { started, port, reports } = await collector();
    const ask = await udpPhone(port);
    const answer = await ask(request());
    expect(answer).toMatch(/^SIP\/2\.0 200 OK\r\n/);
    expect(answer).toContain('\r\nSIP-ETag: t1\r\n');
    expect(answer).toContain('\r\nExpires: 3600\r\n');
    expect(reports).toHaveLength(1);
    expect(reports[0]).toMatchObject({
      atMs: 1_000_000,
      fromAddress: '127.0.0.1',
      userAgent: 'Yealink SIP-T46S 66.86.0.15',
      report: { kind: 'session', callId: 'leg-1', localMetrics: { networkLossPercent: 1.2, discardPercent: 6 } },
    });
    expect(started.counters).toMatchObject({ reports: 1, refused: 0 });
  });

  test('a request that is sent again gets the same answer and counts once', async () => {
    const { started, port, reports } = await collector();
    const ask = await udpPhone(port);
    const first = await ask(request());
    expect(await ask(request())).toBe(first);
    expect(await ask(request({ branch: 'z9hG4bK2' }))).not.toBe(first);
    expect(reports).toHaveLength(2);
    expect(started.counters).toMatchObject({ reports: 2, repeated: 1 });
  });

  test.each<[string, Request, RegExp]>([
    ['another event', { headers: ['Event: presence'] }, /^SIP\/2\.0 489 .*Allow-Events: vq-rtcpxr/s],
    ['another body', { headers: ['Event: vq-rtcpxr', 'Content-Type: text/plain'] }, /^SIP\/2\.0 415 .*Accept: app/s],
    ['a body that is no report', { body: 'hello' }, /^SIP\/2\.0 400 /],
    ['a call', { method: 'INVITE' }, /^SIP\/2\.0 405 .*Allow: PUBLISH, MESSAGE, OPTIONS/s],
    ['OPTIONS', { method: 'OPTIONS', headers: [], body: '' }, /^SIP\/2\.0 200 .*Allow: PUBLISH/s],
    ['a refresh', { headers: ['Event: vq-rtcpxr', 'SIP-If-Match: t0', 'Expires: 60'], body: '' }, /200 .*Expires: 60/s],
  ])('%s gets its answer', async (_, asked, expected) => {
    const { port, reports } = await collector();
    const ask = await udpPhone(port);
    expect(await ask(request(asked))).toMatch(expected);
    expect(reports).toEqual([]);
  });

  test('MESSAGE carries a report, too', async () => {
    const { port, reports } = await collector();
    const ask = await udpPhone(port);
    const answer = await ask(request({ method: 'MESSAGE', headers: ['Content-Type: application/vq-rtcpxr'] }));
    expect(answer).toMatch(/^SIP\/2\.0 200 OK\r\n/);
    expect(answer).not.toContain('SIP-ETag');
    expect(reports).toHaveLength(1);
  });

  test('junk, keep-alives and strangers get no answer', async () => {
    const { started, port, reports } = await collector();
    const ask = await udpPhone(port);
    const strict = await collector([{ address: '192.0.2.0', family: 'ipv4', prefixLength: 24 }]);
    const stranger = await udpPhone(strict.port);
    void stranger(request());
    const silent = ask('\r\n\r\n');
    void ask('\u0000\u0001junk that is longer than a keep-alive');
    void ask(request({ branch: 'z9hG4bKlast' }));
    // The first answer that comes is the one to the request behind all that.
    expect(await silent).toContain('z9hG4bKlast');
    expect(started.counters).toMatchObject({ reports: 1, unreadable: 1 });
    await expect.poll(() => strict.started.counters.strangers).toBe(1);
    expect(strict.reports).toEqual([]);
    expect(reports).toHaveLength(1);
  });
});

describe('over TCP', () => {
  test('several reports on one connection, cut anywhere, and an answer to a keep-alive', async () => {
    const { port, reports } = await collector();
    const socket = await tcpPhone(port);
    let received = '';
    socket.on('data', (bytes: Buffer) => (received += bytes.toString()));
    const text = `${request()}${request({ branch: 'z9hG4bK2' })}`;
    for (const part of [text.slice(0, 100), text.slice(100, 700), `${text.slice(700)}\r\n\r\n`]) {
      socket.write(part);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await expect.poll(() => received.match(/SIP\/2\.0 200 OK/g)?.length).toBe(2);
    await expect.poll(() => received.endsWith('\r\n\r\n\r\n')).toBe(true);
    expect(reports).toHaveLength(2);
  });

  test('a crowd is read in turns, so that a hang-up waits for one connection and not for all', async () => {
    const { port, reports } = await collector();
    const phones = await Promise.all(Array.from({ length: 100 }, () => tcpPhone(port)));
    // All are accepted, and nothing is under way.
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (const [index, phone] of phones.entries()) phone.write(request({ branch: `z9hG4bK${index}` }));
    let most = 0;
    let before = 0;
    let isOver = false;
    const turn = (): void => {
      most = Math.max(most, reports.length - before);
      before = reports.length;
      if (!isOver) setImmediate(turn);
    };
    turn();
    await expect.poll(() => reports.length).toBe(phones.length);
    isOver = true;
    expect(most).toBeLessThanOrEqual(2);
  });

  test.each([
    [
      'a megabyte',
      request({ headers: ['Event: vq-rtcpxr', 'Content-Type: application/vq-rtcpxr'], body: 'x'.repeat(1_000_000) }),
    ],
    ['what is no SIP', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ])('%s closes the connection', async (_, text) => {
    const { started, port, reports } = await collector();
    const socket = await tcpPhone(port);
    const closed = new Promise((resolve) => void socket.on('error', () => {}).on('close', resolve));
    socket.write(text);
    await closed;
    expect(reports).toEqual([]);
    expect(started.counters).toMatchObject({ reports: 0, unreadable: 1 });
  });
});

test('a rate is admitted, with one second’s worth at once', () => {
  const rate = new AdmittedRate(10, 0);
  const admitted = (atMs: number, asked: number): number =>
    Array.from({ length: asked }, () => rate.admits(atMs)).filter(Boolean).length;
  expect(admitted(0, 30)).toBe(10);
  expect(admitted(500, 30)).toBe(5);
  expect(admitted(400, 30)).toBe(0);
  expect(admitted(60_000, 30)).toBe(10);
});
