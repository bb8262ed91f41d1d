import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CaptureAnalysis } from '../../../src/capture/capture-analysis.ts';
import { analysisToJson } from '../../../src/cli/analyze-json.ts';
import { analysisToText } from '../../../src/cli/analyze-text.ts';
import { readerFor } from '../../../src/wire/capture-format.ts';

const CORPUS = join(import.meta.dirname, '../../golden/fuzz/pcap');
const files = readdirSync(CORPUS).filter((name) => !name.endsWith('.md'));
/** Values that sit at the edges of fields. */
const EDGES = [0, 1, 0x7f, 0x80, 0xff];
/** A file of a few kilobytes takes about one. */
const LONGEST_MS = 1000;

/** Everything that `analyze` does with a file, in pieces of `pieceBytes`. Throws on a number that is none. */
function analyseAndPrint(file: Buffer, pieceBytes: number): number {
  if (file.length < 4) return 0;
  const reader = readerFor(new DataView(file.buffer, file.byteOffset, file.length));
  if (reader === undefined) return 0;
  const analysis = new CaptureAnalysis({ gmin: 16, jitterBuffer: { kind: 'adaptive' } });
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  for (let start = 0, end = 0; end < file.length && reader.damage === undefined; start = reader.consumed) {
    end = Math.min(file.length, end + pieceBytes);
    reader.feed(view, start, end);
    while (reader.next()) analysis.take(reader);
  }
  const result = analysis.finish();
  // JSON has no NaN: it would stand there as null, or not at all.
  JSON.stringify(result, (name, value: unknown) => {
    if (typeof value === 'number' && !Number.isFinite(value)) throw new Error(`${name} is ${value}`);
    return value;
  });
  JSON.parse([...analysisToJson(result)].join(''));
  for (const line of analysisToText(result)) expect(line.endsWith('\n')).toBe(true);
  return result.packets;
}

/** As above; what fails is kept for ever after. */
function analyseOrKeep(file: Buffer, pieceBytes: number): void {
  const startMs = performance.now();
  try {
    analyseAndPrint(file, pieceBytes);
    if (performance.now() - startMs > LONGEST_MS) throw new Error('It took too long.');
  } catch (error) {
    const hash = createHash('sha256').update(file).digest('hex').slice(0, 12);
    writeFileSync(join(CORPUS, `found-${hash}`), file);
    throw error;
  }
}

describe.each(files)('%s', (name) => {
  const original = readFileSync(join(CORPUS, name));

  test('is analysed', () => {
    const packets = analyseAndPrint(original, original.length);
    expect(packets).toBe(analyseAndPrint(original, 100));
    expect(packets).toBeGreaterThan(0);
  });

  test('however it is changed, cut or repeated', () => {
    const change = fc.record({
      at: fc.nat(original.length - 1),
      value: fc.oneof(fc.constantFrom(...EDGES), fc.nat(255)),
      count: fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.constantFrom(2, 4, 8) }),
    });
    const changes = fc.array(change, { minLength: 1, maxLength: 12 });
    const check = fc.check(
      fc.property(changes, fc.nat(original.length), fc.integer({ min: 16, max: 4000 }), (list, cutAt, pieceBytes) => {
        const copy = Buffer.from(original);
        for (const { at, value, count } of list) copy.fill(value, at, Math.min(copy.length, at + count));
        // Half of the copies whole, the others cut.
        analyseOrKeep(cutAt % 2 === 0 ? copy : copy.subarray(0, cutAt), pieceBytes);
      }),
      { numRuns: 400 },
    );
    expect(check.counterexample).toBeNull();
    expect(check.numRuns).toBe(400);
  });
});
