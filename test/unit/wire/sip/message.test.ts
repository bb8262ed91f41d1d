import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readSipDatagram, type SipMessage, sipHeader } from '../../../../src/wire/sip/message.ts';
import { responsePort, sipResponse } from '../../../../src/wire/sip/response.ts';
import { SipStreamReader } from '../../../../src/wire/sip/stream.ts';

const HEAD = [
  'PUBLISH sip:mes@192.0.2.1:5063 SIP/2.0',
  'v: SIP/2.0/UDP 10.0.0.7:5070;branch=z9hG4bK1;rport',
  'f: <sip:214@192.0.2.1>;tag=1',
  't: <sip:mes@192.0.2.1>',
  'i: call-1',
  'CSeq: 7 PUBLISH',
  'o: vq-rtcpxr',
];

function message(body: string, ...more: readonly string[]): string {
  return [...HEAD, ...more, '', body].join('\r\n');
}

function datagram(text: string): SipMessage {
  const read = readSipDatagram(text);
  if (read === undefined || read === 'cut') throw new Error('no whole message');
  return read;
}

describe('a datagram', () => {
  test('compact names are long ones, a folded field is one', () => {
    const read = datagram(message('body', 'Subject: one', '  two'));
    expect(read.start).toEqual({ kind: 'request', method: 'PUBLISH', uri: 'sip:mes@192.0.2.1:5063' });
    expect(sipHeader(read, 'call-id')).toBe('call-1');
    expect(sipHeader(read, 'subject')).toBe('one two');
    expect(sipHeader(read, 'event')).toBe('vq-rtcpxr');
    expect(read.body).toBe('body');
  });

  test('a field may have the name of what every object has', () => {
    const { headers } = datagram(message('body', 'constructor: a', 'toString: b', '__proto__: c'));
    expect(headers.slice(-3).map(({ name }) => name)).toEqual(['constructor', 'tostring', '__proto__']);
  });

  test('Content-Length, in bytes, ends the body; a shorter one was cut', () => {
    expect(datagram(message('äbcdef', 'l: 4')).body).toBe('äbc');
    expect(readSipDatagram(message('abc', 'l: 4'))).toBe('cut');
    expect(readSipDatagram(message('abc', 'l: -4'))).toBeUndefined();
  });

  test.each(['', 'GET / HTTP/1.1\r\n\r\n', '\r\n\r\n', 'PUBLISH sip:a SIP/2.0\r\nno colon\r\n\r\n'])(
    '%j is none',
    (text) => {
      expect(readSipDatagram(text)).toBeUndefined();
    },
  );
});

describe('a connection', () => {
  test('messages are found wherever the bytes are cut', () => {
    const bytes = new TextEncoder().encode(
      `${message('ä1', 'Content-Length: 3')}\r\n\r\n${message('', 'Content-Length: 0')}${message('last', 'l: 4')}`,
    );
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 12 }), (cuts) => {
        const reader = new SipStreamReader();
        const edges = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
        const items = edges.slice(1).flatMap((end, index) => reader.push(bytes.subarray(edges[index], end)));
        const bodies = items.flatMap((item) => (item.kind === 'message' ? [item.message.body] : []));
        expect(bodies).toEqual(['ä1', '', 'last']);
        expect(items.some(({ kind }) => kind === 'unreadable')).toBe(false);
      }),
    );
  });

  test('an empty line pair between messages asks for an answer', () => {
    expect(new SipStreamReader().push(new TextEncoder().encode('\r\n\r\n'))).toEqual([{ kind: 'keep-alive' }]);
  });

  test.each([
    ['no SIP message', 'GET / HTTP/1.1\r\n\r\n'],
    ['no Content-Length', message('')],
    ['too large', message('', 'Content-Length: 1000000')],
    ['too large', 'A'.repeat(70_000)],
  ])('%s ends it', (why, text) => {
    const reader = new SipStreamReader();
    expect(reader.push(new TextEncoder().encode(text))).toEqual([{ kind: 'unreadable', why }]);
    expect(reader.push(new TextEncoder().encode(message('x', 'l: 1')))).toEqual([]);
  });
});

describe('a response', () => {
  const peer = { address: '198.51.100.9', port: 40_123 };

  test('repeats what its request is known by, and says where that came from', () => {
    const text = sipResponse(
      datagram(message('')),
      peer,
      { status: 200, reason: 'OK', headers: [{ name: 'SIP-ETag', value: 'e1' }] },
      'ours',
    );
    expect(text?.split('\r\n')).toEqual([
      'SIP/2.0 200 OK',
      'Via: SIP/2.0/UDP 10.0.0.7:5070;branch=z9hG4bK1;rport=40123;received=198.51.100.9',
      'From: <sip:214@192.0.2.1>;tag=1',
      'To: <sip:mes@192.0.2.1>;tag=ours',
      'Call-ID: call-1',
      'CSeq: 7 PUBLISH',
      'SIP-ETag: e1',
      'Content-Length: 0',
      '',
      '',
    ]);
  });

  test('goes to the source port where rport asks for it, else to the port in Via', () => {
    expect(responsePort(datagram(message('')), peer)).toBe(40_123);
    const plain = datagram(message('').replace(';rport', ''));
    expect(responsePort(plain, peer)).toBe(5070);
    expect(responsePort(datagram(message('').replace(':5070', '').replace(';rport', '')), peer)).toBe(5060);
  });

  test('is none for a request that lacks its Via', () => {
    const text = [...HEAD.slice(0, 1), ...HEAD.slice(2), '', ''].join('\r\n');
    expect(sipResponse(datagram(text), peer, { status: 200, reason: 'OK' }, 'x')).toBeUndefined();
  });
});
