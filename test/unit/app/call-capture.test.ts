import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { CallCapture, type CallCaptureOptions } from '../../../src/app/capture/call-capture.ts';
import type { XrReport } from '../../../src/app/capture/xr-report-source.ts';
import type { CapturedMedia } from '../../../src/model/capture.ts';
import type { CapturedReport } from '../../../src/model/event.ts';
import { snapshot } from '../calls/script.ts';
import { BACK, call, packet as packetOf, range } from '../capture/captured.ts';
import { type Captured, pcap, START_MS, u16, u32, u8 } from '../wire/packets.ts';

const HOUR_MS = 3_600_000;

const OPTIONS: CallCaptureOptions = {
  settings: { enabled: true, interface: 'any', ports: { lowest: 10_000, highest: 20_000 }, audio: true },
  onCaptured: () => {},
  onXrReport: () => {},
  askAddresses: () => {},
  askCodecs: () => {},
  onState: () => {},
  nowMs: () => 0,
  followClock: () => {},
  random: () => 0,
};

test('a new channel is asked for its addresses and codecs once; after a reconnect the codecs are known', () => {
  const asked: string[] = [];
  const capture = new CallCapture({
    ...OPTIONS,
    askAddresses: (uniqueid) => asked.push(`${uniqueid} addresses`),
    askCodecs: (uniqueid) => asked.push(`${uniqueid} codecs`),
  });
  const newChannel = { type: 'channel', atMs: 0, channel: snapshot('1') } as const;
  capture.take(newChannel);
  capture.take(newChannel);
  expect(asked.splice(0)).toEqual(['1 addresses', '1 codecs']);
  const channels = [
    { ...snapshot('1'), codecs: { rx: 'opus', tx: 'opus' } },
    { ...snapshot('2', { stateNumber: 5 }), codecs: { rx: null, tx: null } },
  ];
  capture.take({ type: 'resync', atMs: 0, channels });
  capture.take(newChannel);
  expect(asked.splice(0)).toEqual(['1 addresses']);
  capture.take({ type: 'channel', atMs: 0, channel: snapshot('2') });
  expect(asked).toEqual(['2 addresses', '2 codecs']);
});

/** RFC 3611 §4.7's block, made by hand, about the given SSRC: an empty receiver report of RFC 3550 §6.4.2 before it. */
function xr(ssrc: number, lossQ8: number, mosLqTenths: number): Buffer {
  const block = `0000${hex(lossQ8)}1a7602 00ea0398 003d0050 ecc47f10 277f${hex(mosLqTenths)}14 20 00 003c 0078 0078`;
  const body = `07000008 ${ssrc.toString(16).padStart(8, '0')} ${block.slice(4)}`.replaceAll(' ', '');
  return Buffer.from(`80c90001aabbccdd80cf000aaabbccdd${body}`, 'hex');
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

test('what a phone says in RTCP XR of the audio that it got is told of its channel, the latest once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mes-xr-'));
  const back = { source: '10.0.0.1', destination: '10.0.0.2', sourcePort: 5005, destinationPort: 6005 } as const;
  const toPhone = { source: '10.0.0.2', destination: '10.0.0.1', sourcePort: 6004, destinationPort: 5004 } as const;
  const packets = [
    ...call(range(0, 100), toPhone, { ssrc: 0xabc }),
    packetOf(2000, xr(0xabc, 23, 20), back),
    packetOf(2010, xr(0xabc, 26, 19), back),
    // Of no stream of ours, and from a stranger.
    packetOf(2020, xr(0xdef, 200, 10), back),
    packetOf(2030, xr(0xabc, 200, 10), { ...back, source: '10.0.0.9' }),
  ];
  writeFileSync(join(folder, 'all'), pcap(packets));
  const told: XrReport[] = [];
  const captured = new CallCapture({
    ...OPTIONS,
    command: ['sh', '-c', `echo 'tcpdump: listening on any' >&2; cat '${folder}/all'; exec sleep 60`],
    onXrReport: (event) => told.push(event),
    nowMs: () => START_MS + 3000,
  });
  captured.take({ type: 'channel', atMs: START_MS, channel: snapshot('1') });
  const addresses = { protocol: 'rtp', local: '10.0.0.2:6004', remote: '10.0.0.1:5004' } as const;
  captured.take({ type: 'addresses', atMs: START_MS, uniqueid: '1', addresses });
  captured.start();
  try {
    await vi.waitFor(() => expect(captured.counters.packets).toBe(packets.length), { timeout: 15_000, interval: 5 });
  } finally {
    await captured.stop();
    rmSync(folder, { recursive: true });
  }
  expect(told).toMatchObject([
    {
      uniqueid: '1',
      received: {
        atMs: START_MS + 2010,
        fromAddress: '10.0.0.1',
        userAgent: null,
        report: {
          kind: 'xr',
          remote: { ssrc: 0xabc },
          localMetrics: {
            startAtMs: START_MS,
            stopAtMs: START_MS + 2010,
            codec: 'ulaw',
            networkLossPercent: (100 * 26) / 256,
            discardPercent: (100 * 26) / 256,
            burstLossPercent: (100 * 118) / 256,
            gapLossPercent: (100 * 2) / 256,
            burstDurationMs: 234,
            gapDurationMs: 920,
            roundTripDelayMs: 61,
            endSystemDelayMs: 80,
            signalLevelDbm: -20,
            noiseLevelDbm: -60,
            rerlDb: null,
            rCq: 39,
            mosLq: 1.9,
            mosCq: 2,
            jbNominalMs: 60,
          },
        },
      },
    },
  ]);
});

describe.each([HOUR_MS, -HOUR_MS])('a clock set by %s ms in the middle of a stream', (stepMs) => {
  const folder = mkdtempSync(join(tmpdir(), 'mes-call-capture-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** A packet every 20 ms, two of them lost; from `second` on they have the new time. */
  function packets(second: number): Captured[] {
    const numbers = range(0, 200).filter((sequence) => sequence !== 40 && sequence !== 42);
    return call(numbers).map((packet, index) => ({
      ...packet,
      atMs: packet.atMs + ((numbers[index] ?? 0) < second ? 0 : stepMs),
    }));
  }

  /** What is told of the packets: a shell stands for tcpdump and shows the first 98, and the others when the clock was set. */
  async function capture(all: readonly Captured[], isToldFirst: boolean): Promise<CapturedMedia | null> {
    const [before, after] = [join(folder, 'before'), join(folder, 'after')];
    rmSync(after, { force: true });
    writeFileSync(before, pcap(all.slice(0, 98)));
    const shows = `echo 'tcpdump: listening on any' >&2; cat '${before}'; until [ -e '${after}' ]; do sleep 0.01; done; cat '${after}'; exec sleep 60`;
    let [isSet, isFollowed] = [false, false];
    let told: CapturedMedia | null = null;
    const captured = new CallCapture({
      ...OPTIONS,
      command: ['sh', '-c', shows],
      onCaptured: ({ open }) => (told = open),
      nowMs: () => START_MS + 4000 + (isFollowed ? stepMs : 0),
      followClock,
    });
    function followClock(): void {
      if (!isSet || isFollowed) return;
      isFollowed = true;
      captured.clockStepped(stepMs);
    }
    const taken = (count: number): Promise<void> =>
      vi.waitFor(() => expect(captured.counters.packets).toBe(count), { timeout: 15_000, interval: 5 });
    const addresses = { protocol: 'rtp', local: '10.0.0.2:6004', remote: '10.0.0.1:5004' } as const;
    captured.take({ type: 'channel', atMs: START_MS, channel: snapshot('1') });
    captured.take({ type: 'addresses', atMs: START_MS, uniqueid: '1', addresses });
    captured.start();
    try {
      await taken(98);
      isSet = true;
      if (isToldFirst) followClock();
      // Whole when it is there. A file's head is in the first part.
      writeFileSync(`${after}.new`, pcap(all.slice(98)).subarray(24));
      renameSync(`${after}.new`, after);
      await taken(198);
    } finally {
      await captured.stop();
    }
    return told;
  }

  /** By hand: 40 ms around a lost packet; evenly sent; the burst where it is in the time that is true now. */
  const AS_IT_WAS = {
    packetsReceived: 198,
    packetsExpected: 200,
    maxGapMs: 40,
    jitterMaxMs: 0,
    jitterSumMs: 0,
    discarded: 0,
    firstAtMs: START_MS + stepMs,
    lastAtMs: START_MS + 199 * 20 + stepMs,
    burstSpans: [{ fromMs: START_MS + 40 * 20 + stepMs, toMs: START_MS + 42 * 20 + stepMs, packets: 3, losses: 2 }],
  };

  test.each([
    ['a packet is the first to tell', 100, false],
    ['we are told before the packets', 100, true],
    ['packets from before come behind', 110, true],
  ])('is not jitter, not a gap and no new stream: %s', async (_, second, isToldFirst) => {
    const media = await capture(packets(second), isToldFirst);
    expect(media).toMatchObject({ streams: 1, tally: AS_IT_WAS });
  });
});

describe('a far end that reports on the stream before a transfer, too', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mes-call-capture-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const [OLD, NEW] = [0x0a, 0x0b];

  /** An RR with a block about each of these: its highest sequence number, and 3 packets lost. */
  const receiverReport = (...blocks: readonly (readonly [source: number, highest: number])[]): Buffer =>
    Buffer.concat([
      u8(0x80 + blocks.length, 201),
      u16(1 + 6 * blocks.length),
      u32(0xfa),
      ...blocks.flatMap(([source, highest]) => [source, 3, highest, 16, 0, 0].map(u32)),
    ]);

  test.each([
    ['behind it', [OLD, NEW], [OLD, NEW]],
    ['before it', [NEW, OLD], [OLD, NEW]],
    ['not yet', [OLD], [OLD, NEW]],
    // As after music on hold.
    ['which is that of before again', [NEW, OLD], [NEW, OLD, NEW]],
    ['which is that of before again, with its block first', [OLD, NEW], [NEW, OLD, NEW]],
  ] as const)('is told what it says of the one that is sent now: %s', async (_, order, sent) => {
    const path = join(folder, 'whole');
    const fromFarEnd = { source: '10.0.0.1', destination: '10.0.0.2', sourcePort: 5005, destinationPort: 6005 };
    // A second of each after the other.
    const streams = sent.map((ssrc, second) =>
      call(range(50 * second, 50 * second + 50), BACK, { ssrc }, () => 1000 * second),
    );
    const reportAtMs = 1000 * sent.length - 105;
    const standing = order.map((source) => [source, source === OLD ? 49 : 80] as const);
    const all = [...streams.flat(), packetOf(reportAtMs, receiverReport(...standing), fromFarEnd)];
    writeFileSync(path, pcap(all.toSorted((one, other) => one.atMs - other.atMs)));
    const told: (CapturedReport | undefined)[] = [];
    const capture = new CallCapture({
      ...OPTIONS,
      command: ['sh', '-c', `echo 'tcpdump: listening on any' >&2; cat '${path}'; exec sleep 60`],
      onCaptured: ({ direction, report }) => direction === 'tx' && told.push(report),
      nowMs: () => START_MS + 4000,
    });
    const addresses = { protocol: 'rtp', local: '10.0.0.2:6004', remote: '10.0.0.1:5004' } as const;
    capture.take({ type: 'channel', atMs: START_MS, channel: snapshot('1') });
    capture.take({ type: 'addresses', atMs: START_MS, uniqueid: '1', addresses });
    capture.start();
    try {
      await vi.waitFor(() => expect(capture.counters.packets).toBe(all.length), { timeout: 15_000, interval: 5 });
      const report = { reporter: 'remote' } as const;
      capture.take({ type: 'rtcp', atMs: START_MS + 4000, channel: snapshot('1'), report });
    } finally {
      await capture.stop();
    }
    const ofNew = {
      block: expect.objectContaining({ sourceSsrc: NEW, extendedHighestSequence: 80, cumulativeLostPackets: 3 }),
      atMs: START_MS + reportAtMs,
    };
    expect(told[0]).toEqual(order.some((source) => source === NEW) ? ofNew : undefined);
  });
});
