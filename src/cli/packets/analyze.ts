import { setFlagsFromString } from 'node:v8';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { AnalysisResult } from '../../capture/capture-analysis.ts';
import type { CaptureEnd } from '../../capture/file-source.ts';
import type { JitterBufferKind } from '../../stats/packets/jitter-buffer.ts';
import { type PayloadFormat, formatFromSdp } from '../../wire/payload-types.ts';
import { DONE, WORK_FAILED, fail, warn } from '../exit-status.ts';
import { writeOut } from '../output.ts';

interface AnalyzeOptions {
  readonly gmin: number;
  readonly codec: ReadonlyMap<number, PayloadFormat>;
  readonly jitterBuffer: JitterBufferKind;
  readonly json?: true;
  readonly wide?: true;
}

const DEFAULT_GMIN = 16;
/** Gmin has 8 bits in the VoIP Metrics block. */
const MAX_GMIN = 255;
const MAX_PAYLOAD_TYPE = 127;
const MIN_FIXED_MS = 1;
const MAX_FIXED_MS = 10_000;
/** Whose audio is looked at, and how much of it: a minute tells how loud and noisy somebody is, and a large file stays quick to read. */
const LISTENED = { mostStreams: 1000, enoughMs: 60_000, enoughOfAllMs: 500_000 };
const BYTES_PER_MB = 1_000_000;
const PROGRESS_EVERY_MB = 50;

export function addAnalyze(program: Command, finish: (status: number) => void): void {
  program
    .command('analyze')
    .description('a capture file: what its calls went through')
    .argument('<file>', 'pcap or pcapng, also packed with gzip; - reads standard input')
    .option('--gmin <n>', 'received packets in a row that end a burst', gmin, DEFAULT_GMIN)
    .addOption(
      new Option('--jitter-buffer <kind>', 'simulated one: fixed:MS or adaptive')
        .argParser(jitterBuffer)
        .default({ kind: 'fixed', nominalMs: 60 } satisfies JitterBufferKind, 'fixed:60'),
    )
    .addOption(
      new Option('--codec <type=name/clock>', 'what a payload type means, as in 107=opus/48000; once for each')
        .argParser(codec)
        .default(new Map<number, PayloadFormat>(), 'none'),
    )
    .option('--json', 'one JSON document with everything')
    .option('--wide', 'a table with a line a stream, however wide')
    .action(async (file: string, options: AnalyzeOptions) => finish(await analyze(file, options)));
}

async function analyze(path: string, options: AnalyzeOptions): Promise<number> {
  // Packets make no garbage, only their streams do, and those stay: a young generation of V8's that grows (to 64 MB with
  // 10,000 streams) would be memory for nothing.
  setFlagsFromString('--semi-space-growth-factor=1');
  // Loaded when needed, as the other commands do.
  const [{ CallAudio }, { CaptureAnalysis }, { readCaptureFile }] = await Promise.all([
    import('../../capture/audio/call-audio.ts'),
    import('../../capture/capture-analysis.ts'),
    import('../../capture/file-source.ts'),
  ]);
  const { gmin: endOfBurst, jitterBuffer: buffer, codec: codecs } = options;
  const analysis = new CaptureAnalysis({
    gmin: endOfBurst,
    jitterBuffer: buffer,
    codecs,
    audio: new CallAudio(LISTENED, codecs),
  });
  let end: CaptureEnd;
  try {
    end = await readCaptureFile(path, (packet) => analysis.take(packet), showProgress());
  } catch (error) {
    return fail(error);
  }
  const result = analysis.finish();
  await print(result, options);
  if (end.kind !== 'whole') warn(`${end.note} What comes before that is in the result.`);
  if (end.droppedPackets > 0) {
    warn(`The program that captured dropped ${end.droppedPackets} packets itself; they count as lost here.`);
  }
  if (result.streamsLeftOut > 0) {
    warn(`${result.streamsLeftOut} streams more than can be held are left out; cut the capture into parts.`);
  }
  return end.kind === 'damaged' || result.streamsLeftOut > 0 ? WORK_FAILED : DONE;
}

async function print(result: AnalysisResult, { json, wide }: AnalyzeOptions): Promise<void> {
  if (json === true) await writeOut((await import('./analyze-json.ts')).analysisToJson(result));
  else await writeOut((await import('./analyze-text.ts')).analysisToText(result, wide === true));
}

/** On a terminal, says how far it has come. */
function showProgress(): ((readBytes: number) => void) | undefined {
  if (!process.stderr.isTTY) return undefined;
  let shownMb = 0;
  return (readBytes) => {
    const readMb = Math.floor(readBytes / BYTES_PER_MB);
    if (readMb < shownMb + PROGRESS_EVERY_MB) return;
    shownMb = readMb;
    process.stderr.write(`\r${readMb} MB …\r`);
  };
}

function gmin(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= MAX_GMIN) return value;
  throw new InvalidArgumentError(`Give a whole number from 1 to ${MAX_GMIN}.`);
}

function jitterBuffer(text: string): JitterBufferKind {
  if (text === 'adaptive') return { kind: 'adaptive' };
  const [, digits] = /^fixed:(\d{1,5})$/.exec(text) ?? [];
  const nominalMs = Number(digits);
  if (nominalMs >= MIN_FIXED_MS && nominalMs <= MAX_FIXED_MS) return { kind: 'fixed', nominalMs };
  throw new InvalidArgumentError(`Give adaptive, or fixed:MS with ${MIN_FIXED_MS} to ${MAX_FIXED_MS}, as in fixed:60.`);
}

function codec(text: string, others: ReadonlyMap<number, PayloadFormat>): ReadonlyMap<number, PayloadFormat> {
  const [, digits, name = '', clockRate] = /^(\d{1,3})=([A-Za-z0-9._-]{1,64})\/(\d{1,6})$/.exec(text) ?? [];
  const payloadType = Number(digits);
  const format = formatFromSdp(name, Number(clockRate));
  if (!(payloadType <= MAX_PAYLOAD_TYPE) || format === undefined) {
    throw new InvalidArgumentError(
      `Give a payload type from 0 to ${MAX_PAYLOAD_TYPE}, a name and an RTP clock in Hz, as in 107=opus/48000.`,
    );
  }
  if (others.has(payloadType)) throw new InvalidArgumentError(`Give payload type ${payloadType} once.`);
  return new Map([...others, [payloadType, format]]);
}
