import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DatagramReader } from '../../../src/wire/packets/datagram.ts';
import { SipOverTcp } from '../../../src/wire/packets/sip-over-tcp.ts';
import { collectGarbage } from '../../lab/collect-garbage.ts';
import { ipv4 } from './packets.ts';
import { type Segment, tcp } from './tcp-packets.ts';

/** In use behind a garbage collection; what that frees is given back a little later. */
function arrayBytes(): number {
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

const latin1 = (view: DataView, start: number, end: number): string =>
  Buffer.from(view.buffer, view.byteOffset + start, end - start).toString('latin1');

/** What messages come out of these segments, all of one way of one connection. */
function messagesIn(segments: readonly Segment[], port = 5060): { messages: string[]; used: boolean[] } {
  const messages: string[] = [];
  const sip = new SipOverTcp((view, start, end) => messages.push(latin1(view, start, end)));
  const reader = new DatagramReader();
  const used = segments.map((segment) => {
    const bytes = ipv4(tcp(segment, { sourcePort: 40_000, destinationPort: port }), {}, 6);
    const captured = bytes.subarray(0, bytes.length - (segment.cutBytes ?? 0));
    const view = new DataView(captured.buffer, captured.byteOffset, captured.byteLength);
    const kind = reader.read({ view, start: 0, end: captured.length, wireBytes: bytes.length, atMs: 0, linkType: 101 });
    expect(kind).toBe('tcp');
    return sip.take(reader);
  });
  sip.finish();
  return { messages, used };
}

const invite = (index: number, body = `v=0\r\nm=audio ${4000 + index} RTP/AVP 0\r\n`): string =>
  `INVITE sip:${index}@example.com SIP/2.0\r\nContent-Type: application/sdp\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const MESSAGES = [invite(1), 'SIP/2.0 200 OK\r\nl: 0\r\n\r\n', invite(2, 'x'.repeat(3000)), invite(3)];
const STREAM = MESSAGES.join('');
const START = 0xffff_f000;
const SYN: Segment = { sequence: START - 1, text: '', flags: 0x02 };

/** The stream cut at these places; its sequence numbers wrap. */
function cutAt(places: readonly number[], text = STREAM): Segment[] {
  const ends = [...new Set([...places.map((place) => place % text.length), text.length])].toSorted((a, b) => a - b);
  return ends.flatMap((end, index) => {
    const start = ends[index - 1] ?? 0;
    return end > start ? [{ sequence: (START + start) >>> 0, text: text.slice(start, end) }] : [];
  });
}

describe('SIP messages in TCP', () => {
  test('one, several or a part of one in a segment', () => {
    expect(
      messagesIn(MESSAGES.map((text, index) => ({ sequence: START + MESSAGES.slice(0, index).join('').length, text })))
        .messages,
    ).toEqual(MESSAGES);
    expect(messagesIn([{ sequence: 5, text: STREAM }]).messages).toEqual(MESSAGES);
    expect(messagesIn(cutAt([1460, 2920])).messages).toEqual(MESSAGES);
  });

  test('behind a keep-alive in the same segment, where the beginning of the connection was not captured', () => {
    for (const keepAlive of ['\r\n\r\n', '\r\n', '\n\r\n\r\n']) {
      for (const port of [5060, 34_567]) {
        expect(messagesIn([{ sequence: 5, text: keepAlive + STREAM }], port).messages).toEqual(MESSAGES);
      }
    }
  });

  test('at every single place where a segment may end', () => {
    for (let place = 1; place < STREAM.length; place += 1) {
      expect(messagesIn([SYN, ...cutAt([place])]).messages, `${place}`).toEqual(MESSAGES);
    }
  });

  test('in any segments, in any order, some sent again', () => {
    const places = fc.array(fc.nat(STREAM.length - 1), { maxLength: 20 });
    fc.assert(
      fc.property(places, fc.infiniteStream(fc.nat(1000)), (cuts, keys) => {
        const segments = cutAt(cuts);
        const sent = [...segments, ...segments.filter((_, index) => index % 3 === 1)];
        const order = new Map(sent.map((_, index) => [index, keys.next().value]));
        const shuffled = sent
          .map((segment, index) => ({ segment, key: order.get(index) ?? 0 }))
          .toSorted((one, other) => one.key - other.key)
          .map(({ segment }) => segment);
        expect(messagesIn([SYN, ...shuffled], 34_567).messages).toEqual(MESSAGES);
      }),
    );
  });

  test('without the beginning of the connection, from the first message that begins a segment', () => {
    const [, second = '', third = ''] = MESSAGES;
    const segments = [
      { sequence: 90, text: 'the rest of something' },
      { sequence: 111, text: second },
      { sequence: 111 + second.length, text: third },
    ];
    expect(messagesIn(segments, 34_567).messages).toEqual([second, third]);
    expect(messagesIn(segments.toReversed(), 5060).messages).toEqual([third, second]);
  });

  test('between lines that only keep the connection alive', () => {
    const text = `\r\n\r\n${MESSAGES.join('\r\n\r\n')}\r\n\r\n`;
    expect(messagesIn([SYN, ...cutAt([1, 2, 100, 5000], text)]).messages).toEqual(MESSAGES);
  });

  test('when one segment was not captured, the messages after it are found again', () => {
    const many = Array.from({ length: 100 }, (_, index) => invite(index));
    let sequence = START;
    const segments = many.map((text) => {
      const segment = { sequence: sequence >>> 0, text };
      sequence += text.length;
      return segment;
    });
    const { messages } = messagesIn([SYN, ...segments.slice(0, 10), ...segments.slice(11)]);
    expect(messages).toEqual([...many.slice(0, 10), ...many.slice(11)]);
  });

  test('a message that was cut short by the capture is given as far as it goes, and the next one whole', () => {
    const [first = '', second = ''] = MESSAGES;
    const { messages } = messagesIn([
      { sequence: 1, text: first, cutBytes: 10 },
      { sequence: 1 + first.length, text: second },
    ]);
    expect(messages).toEqual([first.slice(0, -10), second]);
  });

  test('a new connection between the same ports begins anew, a repeated SYN does not', () => {
    const [first = '', second = ''] = MESSAGES;
    const half = Math.floor(first.length / 2);
    const segments = [
      SYN,
      { sequence: START, text: first.slice(0, half) },
      SYN,
      { sequence: START + half, text: first.slice(half) },
    ];
    expect(messagesIn(segments).messages).toEqual([first]);
    const anew = [SYN, { sequence: START, text: first }, { ...SYN, sequence: 77 }, { sequence: 78, text: second }];
    expect(messagesIn(anew).messages).toEqual([first, second]);
  });
});

describe('what is no SIP', () => {
  test('is left alone, on whatever port', () => {
    const http = `GET / HTTP/1.1\r\nHost: x\r\n\r\n${'x'.repeat(5000)}`;
    for (const port of [80, 5060]) {
      expect(messagesIn([SYN, ...cutAt([1000, 2000], http)], port)).toEqual({
        messages: [],
        used: [false, false, false, false],
      });
    }
  });

  test('TLS on the port of SIP is none', () => {
    const record = '\u0016\u0003\u0001\u0002\u0000'.padEnd(500, 'x');
    expect(messagesIn([SYN, { sequence: START, text: record }], 5061)).toEqual({ messages: [], used: [false, false] });
  });

  test('a length that lies does not take the next messages along for ever', () => {
    const lying = 'INVITE sip:a@b SIP/2.0\r\nContent-Length: 99999999\r\n\r\n';
    const [first = ''] = MESSAGES;
    const { messages } = messagesIn([
      { sequence: 1, text: lying },
      { sequence: 1 + lying.length, text: first },
    ]);
    expect(messages.at(-1)).toBe(first);
  });

  test('an endless header, byte by byte, takes no time and no memory to speak of', () => {
    const start = process.cpuUsage();
    const line = 'INVITE sip:a@b SIP/2.0\r\n';
    const segments = [
      { sequence: 0, text: line },
      ...Array.from({ length: 70_000 }, (_, index) => ({
        sequence: line.length + index,
        text: index % 2 === 0 ? 'a' : '\n',
      })),
    ];
    const sip = messagesIn(segments);
    expect(sip.messages.length).toBeLessThan(3);
    const { user, system } = process.cpuUsage(start);
    // Under half a second here; quadratic work would take a minute.
    expect((user + system) / 1000).toBeLessThan(15_000);
  });

  test('thousands of connections with a message that never ends keep bounded memory', async () => {
    let handed = 0;
    const sip = new SipOverTcp(() => (handed += 1));
    const reader = new DatagramReader();
    const text = `INVITE sip:a@b SIP/2.0\r\nX: ${'y'.repeat(30_000)}`;
    const before = arrayBytes();
    for (let port = 1; port < 3000; port += 1) {
      const bytes = ipv4(tcp({ sequence: 1, text }, { sourcePort: port, destinationPort: 5060 }), {}, 6);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      reader.read({ view, start: 0, end: bytes.length, wireBytes: bytes.length, atMs: 0, linkType: 101 });
      expect(sip.take(reader)).toBe(true);
    }
    // 90 MB were sent; what went is handed on as far as it had come.
    await expect.poll(() => arrayBytes() - before, { timeout: 10_000 }).toBeLessThan(9_000_000);
    expect(handed).toBeGreaterThan(2000);
  });
});
