import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatFromSdp, staticFormat } from '../../../src/wire/payload-types.ts';
import { readSdpMedia, readSipMedia } from '../../../src/wire/sip-sdp.ts';

function readSip(text: string): ReturnType<typeof readSipMedia> {
  const bytes = Buffer.from(text, 'latin1');
  return readSipMedia(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.length);
}

const SDP = [
  'v=0',
  'o=- 1 1 IN IP4 192.0.2.1',
  's=Asterisk',
  'c=IN IP4 192.0.2.1',
  't=0 0',
  'm=audio 18026 RTP/AVP 107 9 0 101',
  'a=rtpmap:107 opus/48000/2',
  'a=rtpmap:9 G722/8000',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:101 telephone-event/8000',
  'a=fmtp:101 0-16',
  'm=video 0 RTP/AVP 99',
  'c=IN IP4 203.0.113.9',
  'a=rtpmap:99 H264/90000',
  '',
].join('\r\n');
const invite = (body: string, type = 'application/sdp'): string =>
  `INVITE sip:bob@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

describe('SDP in SIP', () => {
  test('tells where the audio is, and what its payload types are', () => {
    const audio = readSip(invite(SDP));
    expect(audio?.length).toBe(1);
    expect(audio?.[0]).toMatchObject({ address: '192.0.2.1', port: 18_026 });
    expect([...(audio?.[0]?.formats ?? [])]).toEqual([
      [107, { codec: 'opus', clockRateHz: 48_000 }],
      [9, { codec: 'g722', clockRateHz: 8000 }],
      [0, { codec: 'ulaw', clockRateHz: 8000 }],
      [101, { codec: 'telephone-event', clockRateHz: 8000 }],
    ]);
  });

  test('video is told from audio, and what is neither is left out', () => {
    const text = `c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 97\r\na=rtpmap:97 opus/48000/2\r\nm=video 4002 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\nm=image 4004 udptl t38\r\n`;
    expect(readSdpMedia(text)).toEqual([
      {
        kind: 'audio',
        address: '192.0.2.1',
        port: 4000,
        formats: new Map([[97, { codec: 'opus', clockRateHz: 48_000 }]]),
      },
      {
        kind: 'video',
        address: '192.0.2.1',
        port: 4002,
        formats: new Map([[97, { codec: 'h264', clockRateHz: 90_000 }]]),
      },
    ]);
  });

  test('answers, short header names and plain line ends', () => {
    const text = `SIP/2.0 200 OK\nc: application/sdp\n\n${SDP.replaceAll('\r', '')}`;
    expect(readSip(text)?.[0]?.port).toBe(18_026);
  });

  test("a media part's own address is its own; the session's holds for the others", () => {
    const text = 'c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0\r\nc=IN IP6 2001:db8::5\r\nm=audio 4002 RTP/SAVP 8\r\n';
    expect(readSdpMedia(text)).toMatchObject([
      { address: '2001:db8::5', port: 4000 },
      { address: '192.0.2.1', port: 4002 },
    ]);
  });

  test('refused and unreachable parts are left out', () => {
    expect(readSdpMedia('c=IN IP4 192.0.2.1\r\nm=audio 0 RTP/AVP 0\r\n')).toEqual([]);
    expect(readSdpMedia('m=audio 4000 RTP/AVP 0\r\n')).toEqual([]);
    expect(readSdpMedia('c=IN IP4 192.0.2.1\r\nm=audio 99999 RTP/AVP 0\r\n')).toEqual([]);
  });

  test('a SIP message without SDP, and what is no SIP', () => {
    expect(readSip('OPTIONS sip:a@b SIP/2.0\r\nVia: x\r\n\r\n')).toEqual([]);
    expect(readSip(invite(SDP, 'text/plain'))).toEqual([]);
    expect(readSip('INVITE sip:a@b SIP/2.0\r\nVia: cut short')).toEqual([]);
    expect(readSip('GET / HTTP/1.1\r\n\r\n')).toBeUndefined();
    expect(readSip('')).toBeUndefined();
    expect(readSip('hello')).toBeUndefined();
  });

  test('nonsense in an rtpmap is left out', () => {
    const text =
      'c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0\r\na=rtpmap:200 opus/48000\r\na=rtpmap:96 opus/0\r\na=rtpmap:97 x\r\n';
    expect(readSdpMedia(text)[0]?.formats.size).toBe(0);
  });

  test('any text is read in good time', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('m=audio ', '1', ' ', 'c=IN IP4 ', '\r\n', 'a=rtpmap:', '9/', '.', 'x')),
        (parts) => {
          expect(readSdpMedia(parts.join('')).length).toBeLessThanOrEqual(parts.length);
        },
      ),
    );
    const before = process.threadCpuUsage();
    readSip(`INVITE ${'a'.repeat(60_000)}`);
    readSip(`INVITE sip:a SIP/2.0\r\n${' '.repeat(60_000)}`);
    // A quadratic reading takes many seconds.
    expect(process.threadCpuUsage(before).user / 1000).toBeLessThan(1500);
  });
});

describe('payload types', () => {
  test('static ones, by RFC 3551 and under the names that Asterisk uses', () => {
    expect(staticFormat(0)).toEqual({ codec: 'ulaw', clockRateHz: 8000 });
    expect(staticFormat(8)).toEqual({ codec: 'alaw', clockRateHz: 8000 });
    // Sampled at 16000, counted at 8000.
    expect(staticFormat(9)).toEqual({ codec: 'g722', clockRateHz: 8000 });
    expect(staticFormat(18)).toEqual({ codec: 'g729', clockRateHz: 8000 });
    expect(staticFormat(96)).toBeUndefined();
    expect(staticFormat(1)).toBeUndefined();
  });

  test('names of SDP', () => {
    expect(formatFromSdp('PCMA', 8000)?.codec).toBe('alaw');
    expect(formatFromSdp('G726-32', 8000)?.codec).toBe('g726');
    expect(formatFromSdp('L16', 16_000)?.codec).toBe('slin16');
    expect(formatFromSdp('iLBC', 8000)?.codec).toBe('ilbc');
    expect(formatFromSdp('constructor', 8000)?.codec).toBe('constructor');
    expect(formatFromSdp('opus', 7)).toBeUndefined();
  });
});
