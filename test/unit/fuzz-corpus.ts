import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';

const HOME = join(import.meta.dirname, '../golden/fuzz');
/** Values that sit at the edges of fields. */
const EDGES = [0, 1, 0x0a, 0x0d, 0x7f, 0x80, 0xff];
/** Of the processor, which a busy machine does not change; input of a few kilobytes takes about a millisecond. */
const LONGEST_CPU_MS = 2000;

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
export function changedCopies({ bytes }: FuzzInput): fc.Arbitrary<Buffer> {
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

/** Runs `work` on an input; when it throws or takes too long, the input is kept for ever after. */
export async function runOrKeep(folder: string, input: Buffer, work: (input: Buffer) => unknown): Promise<void> {
  const start = process.cpuUsage();
  try {
    await work(input);
    const { user, system } = process.cpuUsage(start);
    if ((user + system) / 1000 > LONGEST_CPU_MS) throw new Error('It took too long.');
  } catch (error) {
    const hash = createHash('sha256').update(input).digest('hex').slice(0, 12);
    writeFileSync(join(HOME, folder, `found-${hash}`), input);
    throw error;
  }
}

/** Text of a value as JSON. Throws on a number that is none: JSON has no NaN, it would stand there as null. */
export function jsonOf(value: unknown): string {
  return JSON.stringify(value, (name, part: unknown) => {
    if (typeof part === 'number' && !Number.isFinite(part)) throw new Error(`${name} is ${part}`);
    return part;
  });
}
