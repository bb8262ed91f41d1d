import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TsharkStream, readTsharkStreams, streamKey } from '../lab/tshark.ts';
import { makeCapture } from './capture-maker.ts';
import { withCompiledPackage } from './compiled-package.ts';
import { type Measured, measure } from './measured-process.ts';

const PACKETS = 1_000_000;
const STREAMS = 200;
const SEED = 1;
const RUNS = 5;
const WANTED_RATIO = 10;
const JITTER_TOLERANCE_RATIO = 0.01;
const MEMORY_CEILING_MB = 64;
const MANY_STREAMS = 10_000;
/** Memory is for streams, not for packets. */
const MOST_KB_PER_STREAM = 10;

interface AnalyzedStream {
  readonly source: string;
  readonly destination: string;
  readonly ssrc: string;
  readonly packets_received: number;
  readonly duplicates: number;
  readonly packets_lost: number;
  readonly jitter_ms: { readonly mean: number; readonly max: number };
}

/**
 * `analyze --json` of the compiled package and `tshark -q -z rtp,streams` by turns on the same file: 1,000,000 RTP packets
 * in 200 streams.
 * Fails when the two disagree, when we are not 10 times as fast, when memory grew by more than 64 MB over a process that
 * analyses a tiny file, or with 10,000 streams by more than 10 KB a stream.
 */
export async function run(): Promise<void> {
  await withCompiledPackage(measureBoth);
}

async function measureBoth(entry: string): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'mes-bench-'));
  try {
    const path = join(directory, 'calls.pcap');
    const tiny = join(directory, 'tiny.pcap');
    makeCapture(path, { packets: PACKETS, streams: STREAMS, seed: SEED });
    makeCapture(tiny, { packets: 100, streams: 2, seed: SEED });
    say(`${PACKETS} packets, ${STREAMS} streams, ${Math.round(statSync(path).size / 1e6)} MB`);
    const idle = await measure(process.execPath, [entry, 'analyze', '--json', tiny]);
    const ours: Measured[] = [];
    const theirs: Measured[] = [];
    for (let turn = 0; turn < RUNS; turn += 1) {
      ours.push(await measure(process.execPath, [entry, 'analyze', '--json', path]));
      theirs.push(await measure('tshark', ['-r', path, '-q', '-z', 'rtp,streams']));
    }
    report(ours, theirs, idle);
    const many = join(directory, 'many.pcap');
    makeCapture(many, { packets: PACKETS, streams: MANY_STREAMS, seed: SEED });
    reportMany(await measure(process.execPath, [entry, 'analyze', '--json', many]), idle);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function report(ours: readonly Measured[], theirs: readonly Measured[], idle: Measured): void {
  const ourRate = PACKETS / median(ours);
  const theirRate = PACKETS / median(theirs);
  const peakMb = Math.max(...ours.map(({ peakRssMb }) => peakRssMb));
  const ratio = ourRate / theirRate;
  say(
    `analyze  ${Math.round(ourRate)} packets/s (median of ${RUNS}, start of the process included), peak ${peakMb.toFixed(0)} MB, ${(peakMb - idle.peakRssMb).toFixed(0)} MB over an idle one`,
  );
  say(
    `tshark   ${Math.round(theirRate)} packets/s, peak ${Math.max(...theirs.map(({ peakRssMb }) => peakRssMb)).toFixed(0)} MB`,
  );
  say(`ratio    ${ratio.toFixed(1)} (wanted: ${WANTED_RATIO})`);
  const differences = compare(ours[0]?.stdout ?? '', readTsharkStreams(theirs[0]?.stdout ?? ''));
  say(differences.length === 0 ? `the same packets, losses and jitter in ${STREAMS} streams` : differences.join('\n'));
  if (differences.length > 0 || ratio < WANTED_RATIO || peakMb - idle.peakRssMb > MEMORY_CEILING_MB)
    process.exitCode = 1;
}

function reportMany(many: Measured, idle: Measured): void {
  const overIdleMb = many.peakRssMb - idle.peakRssMb;
  const { streams } = JSON.parse(many.stdout) as { streams: readonly unknown[] };
  const kbPerStream = (overIdleMb * 1024) / MANY_STREAMS;
  say(
    `${streams.length} streams in one file: ${overIdleMb.toFixed(0)} MB over an idle process, ${kbPerStream.toFixed(1)} KB a stream`,
  );
  if (streams.length !== MANY_STREAMS || kbPerStream > MOST_KB_PER_STREAM) process.exitCode = 1;
}

function compare(json: string, theirs: readonly TsharkStream[]): string[] {
  const { streams } = JSON.parse(json) as { streams: AnalyzedStream[] };
  const byKey = new Map(theirs.map((stream) => [stream.key, stream]));
  const problems = streams.flatMap((stream) => {
    const key = streamKey(stream.source, stream.destination, Number(stream.ssrc));
    const other = byKey.get(key);
    const isSame =
      other?.packets === stream.packets_received + stream.duplicates &&
      other.lost === stream.packets_lost &&
      isClose(stream.jitter_ms.mean, other.jitterMeanMs) &&
      isClose(stream.jitter_ms.max, other.jitterMaxMs);
    return isSame ? [] : [`${key}: ${JSON.stringify(stream)} but ${JSON.stringify(other)}`];
  });
  if (streams.length !== STREAMS || theirs.length !== STREAMS) {
    problems.push(`${streams.length} streams and ${theirs.length}, not ${STREAMS}`);
  }
  return problems;
}

/** Tshark prints three decimals. */
function isClose(value: number, other: number): boolean {
  return Math.abs(value - other) <= other * JITTER_TOLERANCE_RATIO + 0.001;
}

function median(runs: readonly Measured[]): number {
  return runs.map(({ elapsedS }) => elapsedS).toSorted((a, b) => a - b)[runs.length >> 1] ?? 0;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
