import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CaptureAnalysis } from '../../../src/capture/capture-analysis.ts';
import { analysisToJson } from '../../../src/cli/packets/analyze-json.ts';
import { analysisToText } from '../../../src/cli/packets/analyze-text.ts';
import { readerFor } from '../../../src/wire/packets/capture-format.ts';
import { fuzz, FUZZ_TIMEOUT_MS, jsonOf, readCorpus } from '../fuzz-corpus.ts';

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
  jsonOf(result);
  JSON.parse([...analysisToJson(result)].join(''));
  for (const line of analysisToText(result, false)) expect(line.endsWith('\n')).toBe(true);
  return result.packets;
}

describe.each(readCorpus('pcap'))('$name', (input) => {
  const { bytes } = input;

  test('is analysed', () => {
    const packets = analyseAndPrint(bytes, bytes.length);
    expect(packets).toBe(analyseAndPrint(bytes, 100));
    expect(packets).toBeGreaterThan(0);
  });

  test('however it is changed, cut or repeated', { timeout: FUZZ_TIMEOUT_MS }, async () => {
    const pieceBytes = fc.integer({ min: 16, max: 4000 });
    expect(await fuzz({ input, folder: 'pcap', runs: 400, pieceBytes, work: analyseAndPrint })).toBeNull();
  });
});
