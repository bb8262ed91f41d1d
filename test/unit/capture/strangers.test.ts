import { describe, expect, test } from 'vitest';
import { CaptureAnalysis } from '../../../src/capture/capture-analysis.ts';
import { StreamHash } from '../../../src/capture/streams/stream-hash.ts';
import type { TrackedStream } from '../../../src/capture/streams/tracked-stream.ts';
import { CaptureJoin } from '../../../src/calls/media/capture-join.ts';
import { readerFor } from '../../../src/wire/packets/capture-format.ts';
import { snapshot } from '../calls/script.ts';
import { type Captured, pcap, rtp, START_MS } from '../wire/packets.ts';
import { call, FIXED, packet, range, senderReport } from './captured.ts';

function feed(analysis: CaptureAnalysis, packets: readonly Captured[]): void {
  const file = pcap(packets);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const reader = readerFor(view);
  if (reader === undefined) throw new Error('no capture');
  reader.feed(view, 0, file.length);
  while (reader.next()) analysis.take(reader);
}

/** So many streams that somebody makes up, four packets each. */
function madeUp(from: number, to: number, destinationPort: number): Captured[] {
  return range(from, to).flatMap((n) =>
    range(0, 4).map((sequence) =>
      packet(sequence * 20, rtp({ sequence, timestamp: sequence * 160, ssrc: 0x5000_0000 + n, payloadBytes: 20 }), {
        source: '192.0.2.66',
        destination: '10.0.0.2',
        sourcePort: 1024 + (n % 60_000),
        destinationPort,
      }),
    ),
  );
}

const CALL = { source: '198.51.100.7', destination: '10.0.0.2', sourcePort: 4000, destinationPort: 12_000 };

/** A channel whose addresses Asterisk has told, as `CallCapture` puts both together. */
function withChannel(): { analysis: CaptureAnalysis; join: CaptureJoin<TrackedStream> } {
  const join = new CaptureJoin<TrackedStream>();
  join.take({ type: 'channel', atMs: START_MS, channel: snapshot('1') });
  const addresses = { protocol: 'rtp', local: '10.0.0.2:12000', remote: '198.51.100.7:4000' } as const;
  join.take({ type: 'addresses', atMs: START_MS, uniqueid: '1', addresses });
  const held: TrackedStream[] = [];
  const standingOf = (stream: TrackedStream, isToBeHeld: boolean): 'known' | 'stranger' => {
    const isKnown = join.isKnown(stream, () => held.length);
    if (isKnown && isToBeHeld) held.push(stream);
    return isKnown ? 'known' : 'stranger';
  };
  return { analysis: new CaptureAnalysis({ ...FIXED, standingOf }), join };
}

describe('made-up streams', () => {
  test.each([
    ['on any port', 15_000, 1000],
    ["on the channel's own port", 12_000, 1016],
  ])('%s, however many, are few, and do not keep the stream of a call from being captured', (_, port, most) => {
    const { analysis, join } = withChannel();
    feed(analysis, madeUp(0, 12_000, port));
    expect([analysis.streams.size, analysis.streamsLeftOut]).toEqual([most, 12_000 - most]);
    feed(analysis, call(range(0, 50), CALL));
    const own = [...analysis.streams].filter(({ source }) => source === '198.51.100.7:4000');
    expect(own).toHaveLength(1);
    const { joined } = join.sweep(analysis.streams, START_MS + 1000);
    expect(joined).toContain(own[0]);
  });

  test("that were nobody's and become a channel's make room for others", () => {
    const { analysis } = withChannel();
    feed(analysis, madeUp(0, 1200, 15_000));
    expect(analysis.streams.size).toBe(1000);
    const [first] = analysis.streams;
    if (first === undefined) throw new Error('there is no stream');
    analysis.adopt(first);
    feed(analysis, madeUp(5000, 5002, 15_000));
    expect(analysis.streams.size).toBe(1001);
    analysis.drop(first);
    expect(analysis.streams.size).toBe(1000);
  });

  test('do not push a call that begins out of those that are looked at', () => {
    const { analysis } = withChannel();
    const own = call(range(0, 50), CALL);
    feed(analysis, own.slice(0, 1));
    // One packet each: more than are looked at together.
    feed(
      analysis,
      madeUp(0, 6000, 15_000).filter((_, index) => index % 4 === 0),
    );
    feed(analysis, own.slice(1, 3));
    expect([...analysis.streams].map(({ source }) => source)).toEqual(['198.51.100.7:4000']);
  });
});

describe('RTCP of a stream', () => {
  test('is found by SSRC and addresses in the same time, whether one or thousands have the SSRC', () => {
    const ssrc = 0x1122_3344;
    const others = range(0, 8000).flatMap((n) =>
      range(0, 4).map((sequence) =>
        packet(sequence * 20, rtp({ sequence, timestamp: sequence * 160, ssrc, payloadBytes: 20 }), {
          source: `172.16.${n >> 8}.${n & 255}`,
          destination: '10.0.0.2',
        }),
      ),
    );
    const way = { ...CALL, sourcePort: 4001, destinationPort: 12_001 };
    const reports = range(0, 2000).map((n) => packet(500 + n, senderReport(ssrc, 1000 + n), way));
    const tookMs = (crowd: readonly Captured[]): number => {
      const analysis = new CaptureAnalysis(FIXED);
      // The call's stream is the first of all.
      feed(analysis, [...call(range(0, 10), CALL), ...crowd]);
      const before = process.threadCpuUsage();
      feed(analysis, reports);
      const { user, system } = process.threadCpuUsage(before);
      const own = [...analysis.streams].find(({ source }) => source === '198.51.100.7:4000');
      expect([analysis.streams.size, own?.rtcp?.senderReports]).toEqual([1 + crowd.length / 4, 2000]);
      return (user + system) / 1000;
    };
    const alone = Math.min(tookMs([]), tookMs([]), tookMs([]));
    // Each report was held against all 8,000 streams before, a hundred times the work of reading it.
    expect(tookMs(others)).toBeLessThan(10 * Math.max(alone, 5));
  });
});

describe('the place of a stream in the table', () => {
  const WORDS = new Int32Array([0x0a00_0001, 0x0a00_0002]);

  test('is not shared by chosen ports and SSRCs', () => {
    // One seed in a thousand, which nobody can choose, has hundreds of them share a place: this is none of those.
    const hash = new StreamHash(new Uint8Array(40).map((_, index) => (index * 37) & 255));
    const places = new Set<number>();
    // Mixed by XOR without a seed, SSRC and ports of all of these gave one place.
    for (let n = 0; n < 20_000; n++) {
      const [sourcePort, destinationPort] = [1024 + (n >> 8), 1024 + (n & 255)];
      places.add(hash.ofStream(WORDS, 2, sourcePort, destinationPort, (sourcePort << 16) ^ destinationPort));
    }
    expect(places.size).toBeGreaterThan(19_000);
  });

  test('is another one with another seed, the same with the same, and of a pair the same both ways', () => {
    const seed = new Uint8Array(40).map((_, index) => (index * 37) & 255);
    const place = (hash: StreamHash): number => hash.ofStream(WORDS, 2, 5004, 6004, 7);
    expect(place(new StreamHash(seed))).toBe(place(new StreamHash(seed)));
    expect(place(new StreamHash(seed))).not.toBe(place(new StreamHash(seed.map((byte) => byte ^ 255))));
    const hash = new StreamHash(seed);
    expect(hash.ofPair(WORDS, 2, 7)).toBe(hash.ofPair(WORDS.toReversed(), 2, 7));
    expect(hash.ofPair(WORDS, 2, 7)).not.toBe(hash.ofPair(WORDS, 2, 8));
    expect(hash.ofStream(WORDS, 2, 5004, 6004, 7)).not.toBe(hash.ofStream(WORDS.toReversed(), 2, 6004, 5004, 7));
  });
});
