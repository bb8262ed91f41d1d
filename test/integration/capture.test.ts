import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type AnalysisResult, CaptureAnalysis } from '../../src/capture/capture-analysis.ts';
import { readCaptureFile } from '../../src/capture/file-source.ts';
import { makeCapture } from '../bench/capture-maker.ts';
import { CAPTURE_SCENARIOS, captureCall } from '../lab/capture-scenarios.ts';
import { labObstacle } from '../lab/obstacle.ts';
import { readTsharkStreams, streamKey, type TsharkStream, withoutMarks } from '../lab/tshark.ts';
import { expectTruth } from '../unit/capture/against-truth.ts';
import { FIXED, range } from '../unit/capture/captured.ts';
import { goldenPcaps } from '../unit/capture/golden-pcap.ts';
import { type Captured, START_MS, ethernet, ipv4, pcap, rtp, udp } from '../unit/wire/packets.ts';
import { type IpPacket, LINKS, TUNNELS, four } from '../unit/wire/tunnel-packets.ts';

/** Other tests run beside this one; tshark's opinion of the same packets' jitter is held to far less. */
const BUSY_CLOCKS_APART_MS = 3;
const hasLab = labObstacle() === undefined;
const hasTshark = hasLab || existsSync('/usr/bin/tshark');

async function analyse(path: string): Promise<AnalysisResult> {
  const analysis = new CaptureAnalysis(FIXED);
  expect(await readCaptureFile(path, (packet) => analysis.take(packet))).toEqual({
    kind: 'whole',
    note: '',
    droppedPackets: 0,
  });
  return analysis.finish();
}

/** tshark's view of the same packets, unmarked; it finds RTP without SIP only when told to try. */
function tsharkStreams(path: string): TsharkStream[] {
  const directory = mkdtempSync(join(tmpdir(), 'mes-tshark-'));
  try {
    const unmarked = join(directory, 'unmarked.pcap');
    writeFileSync(unmarked, withoutMarks(readFileSync(path)));
    const table = execFileSync('tshark', ['-r', unmarked, '--enable-heuristic', 'rtp_udp', '-q', '-z', 'rtp,streams'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return readTsharkStreams(table);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function expectTsharkAgrees(path: string, result: AnalysisResult): void {
  const theirs = new Map(tsharkStreams(path).map((stream) => [stream.key, stream]));
  expect(theirs.size).toBe(result.streams.length);
  for (const stream of result.streams) {
    const other = theirs.get(streamKey(stream.source, stream.destination, stream.ssrc));
    // tshark counts duplicates as received, and so lets them hide losses.
    expect(other?.packets).toBe(stream.packetsReceived + stream.duplicates);
    expect(other?.lost).toBe(stream.packetsLost - stream.duplicates);
    expect(Math.abs((other?.jitterMeanMs ?? 0) - (stream.jitterMeanMs ?? Number.NaN))).toBeLessThan(
      0.01 * (stream.jitterMeanMs ?? Number.NaN) + 0.001,
    );
    expect(Math.abs((other?.jitterMaxMs ?? 0) - (stream.jitterMaxMs ?? Number.NaN))).toBeLessThan(
      0.01 * (stream.jitterMaxMs ?? Number.NaN) + 0.001,
    );
  }
}

describe.runIf(hasLab)('a call captured in the lab', () => {
  test.each(CAPTURE_SCENARIOS)('$name: the relay and tshark agree with the analysis', async (scenario) => {
    await captureCall('22', scenario, async ({ path, pbxAddress, truth }) => {
      const result = await analyse(path);
      expectTruth(result, pbxAddress, truth, BUSY_CLOCKS_APART_MS);
      expectTsharkAgrees(path, result);
      expect(result.skippedPackets).toBe(0);
    });
  });
});

describe.runIf(hasTshark)('tshark as second opinion', () => {
  test.each(goldenPcaps())('$name', async ({ path }) => {
    const result = await analyse(path);
    expect(result.streams.length).toBe(2);
    expectTsharkAgrees(path, result);
  });

  test('a made capture of many calls', async () => {
    await withMadeCapture({}, async (path) => {
      const result = await analyse(path);
      expect(result.streams.length).toBe(40);
      expectTsharkAgrees(path, result);
    });
  });

  test('a made capture whose clocks leap ahead in the middle: tshark takes that for jitter', async () => {
    const plain = await withMadeCapture({}, analyse);
    await withMadeCapture({ leapsAt: 200 }, async (path) => {
      const result = await analyse(path);
      const theirs = new Map(tsharkStreams(path).map((stream) => [stream.key, stream]));
      expect(result.streams.length).toBe(40);
      for (const [index, stream] of result.streams.entries()) {
        const other = theirs.get(streamKey(stream.source, stream.destination, stream.ssrc));
        expect(other?.packets).toBe(stream.packetsReceived + stream.duplicates);
        expect(other?.lost).toBe(stream.packetsLost - stream.duplicates);
        // 500 ms of RTP time in one packet are 31 ms of A.8; no packet was late.
        expect(other?.jitterMaxMs).toBeGreaterThan(25);
        expect(stream.jitterMaxMs).toBeCloseTo(plain.streams[index]?.jitterMaxMs ?? Number.NaN, 3);
        expect(stream.jitterMeanMs).toBeCloseTo(plain.streams[index]?.jitterMeanMs ?? Number.NaN, 3);
      }
    });
  });

  test('inside tunnels and link layers of every kind', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'mes-capture-'));
    try {
      const path = join(directory, 'tunnels.pcap');
      writeFileSync(path, pcap(tunnelledCalls()));
      const result = await analyse(path);
      expect(result.streams.map(({ packetsReceived, packetsLost }) => [packetsReceived, packetsLost])).toEqual(
        Array.from({ length: Object.keys(READ_BY_BOTH).length }, () => [48, 2]),
      );
      expectTsharkAgrees(path, result);
      expect(result.skippedPackets).toBe(0);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test.each(['vxlan-01.pcap', 'ipip-03.pcap', 'qinq-04.pcap', 'span-once-12b.pcap', 'sip-tcp-06.pcap'])(
    '%s',
    async (name) => {
      const path = join(import.meta.dirname, '../golden/field', name);
      const result = await analyse(path);
      expect(result.streams.length).toBeGreaterThan(0);
      expectTsharkAgrees(path, result);
    },
  );
});

/** Hands a capture of 40 streams over, and removes it. */
async function withMadeCapture<T>(plan: { leapsAt?: number }, use: (path: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'mes-capture-'));
  try {
    const path = join(directory, 'calls.pcap');
    makeCapture(path, { packets: 20_000, streams: 40, seed: 7, ...plan });
    return await use(path);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/**
 * tshark 4.0.17 takes VXLAN on port 8472 for something else, and sees no Ethernet frame behind MPLS labels without a control
 * word.
 */
const NOT_READ_BY_TSHARK = ['VXLAN on the port that Linux had first', 'Ethernet over MPLS without one'];
const READ_BY_BOTH: Readonly<Record<string, (inner: IpPacket) => Buffer>> = Object.fromEntries(
  [
    ...Object.entries(TUNNELS).map(([name, wrap]) => {
      const frame = (inner: IpPacket): Buffer => {
        const outer = wrap(inner);
        return ethernet(outer.bytes, outer.isIpv6 ? 0x86dd : 0x0800);
      };
      return [name, frame] as const;
    }),
    ...Object.entries(LINKS),
  ].filter(([name]) => !NOT_READ_BY_TSHARK.includes(name)),
);

/** A call of 50 packets in each, of which two are lost. */
function tunnelledCalls(): Captured[] {
  return range(0, 50)
    .filter((sequence) => sequence !== 20 && sequence !== 31)
    .flatMap((sequence) =>
      Object.values(READ_BY_BOTH).map((wrap, index) => {
        const port = 20_000 + index * 2;
        const route = { sourcePort: port, destinationPort: port };
        const inner = four(ipv4(udp(rtp({ sequence, timestamp: sequence * 160, ssrc: 1 + index }), route), route));
        return { atMs: START_MS + sequence * 20 + index / 100, bytes: wrap(inner) };
      }),
    );
}
