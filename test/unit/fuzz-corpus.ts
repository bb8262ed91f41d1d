import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';

const HOME = join(import.meta.dirname, '../golden/fuzz');
/** Values that sit at the edges of fields. */
const EDGES = [0, 1, 0x0a, 0x0d, 0x7f, 0x80, 0xff];
/** Of the processor, which a busy machine does not change; input of a few kilobytes takes about a millisecond. */
const LONGEST_CPU_MS = 2000;
/** For all copies of one input; who asks for more of them than usual has the time. */
export const FUZZ_TIMEOUT_MS = process.env['MES_FUZZ_RUNS'] === undefined ? 60_000 : 3_600_000;

/** One input of a corpus. */
export interface FuzzInput {
  readonly name: string;
  readonly bytes: Buffer;
}

/** The inputs kept in a folder of `test/golden/fuzz`. */
export function readCorpus(folder: string): FuzzInput[] {
  return readdirSync(join(HOME, folder))
    .filter((name) => !name.endsWith('.md'))
    .map((name) => ({ name, bytes: readFileSync(join(HOME, folder, name)) }));
}

/** Copies of an input with up to a dozen bytes or runs of bytes changed; half of them whole, the others cut. */
function changedCopies({ bytes }: FuzzInput): fc.Arbitrary<Buffer> {
  const change = fc.record({
    at: fc.nat(bytes.length - 1),
    value: fc.oneof(fc.constantFrom(...EDGES), fc.nat(255)),
    count: fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.constantFrom(2, 4, 8) }),
  });
  const changes = fc.array(change, { minLength: 1, maxLength: 12 });
  return fc.tuple(changes, fc.nat(bytes.length)).map(([list, cutAt]) => {
    const copy = Buffer.from(bytes);
    for (const { at, value, count } of list) copy.fill(value, at, Math.min(copy.length, at + count));
    return cutAt % 2 === 0 ? copy : copy.subarray(0, cutAt);
  });
}

export interface Fuzzing {
  readonly input: FuzzInput;
  /** Of `test/golden/fuzz`. */
  readonly folder: string;
  /** How many copies are tried, unless MES_FUZZ_RUNS names another number. */
  readonly runs: number;
  /** How much of a copy is given at a time, for `work` that takes it in pieces. */
  readonly pieceBytes?: fc.Arbitrary<number>;
  readonly work: (copy: Buffer, pieceBytes: number) => unknown;
}

/**
 * Tries changed copies of an input. Gives the simplest on which `work` throws or takes too long, which is kept for ever
 * after; null when there is none.
 */
export async function fuzz({
  input,
  folder,
  runs,
  pieceBytes = fc.constant(0),
  work,
}: Fuzzing): Promise<Buffer | null> {
  const numRuns = Number(process.env['MES_FUZZ_RUNS'] ?? runs);
  const property = fc.asyncProperty(changedCopies(input), pieceBytes, async (copy, bytes) => {
    const start = process.cpuUsage();
    await work(copy, bytes);
    const { user, system } = process.cpuUsage(start);
    if ((user + system) / 1000 > LONGEST_CPU_MS) throw new Error('It took too long.');
  });
  const result = await fc.check(property, { numRuns });
  if (result.counterexample === null) {
    if (result.numRuns !== numRuns || numRuns === 0) throw new Error('nothing was tried');
    return null;
  }
  const [copy] = result.counterexample;
  const hash = createHash('sha256').update(copy).digest('hex').slice(0, 12);
  writeFileSync(join(HOME, folder, `found-${hash}`), copy);
  return copy;
}

/** Text of a value as JSON. Throws on a number that is none: JSON has no NaN, it would stand there as null. */
export function jsonOf(value: unknown): string {
  return JSON.stringify(value, (name, part: unknown) => {
    if (typeof part === 'number' && !Number.isFinite(part)) throw new Error(`${name} is ${part}`);
    return part;
  });
}
