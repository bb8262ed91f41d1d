import { Readable } from 'node:stream';
import type { HeldAnswer } from './answer-bytes.ts';
import { PART_MS, nextTurn } from './turns.ts';

/** An answer goes out of V8's heap in pieces of about this length: a string of megabytes would make its collector work. */
const CHUNK_CHARACTERS = 65_536;

/** A whole answer in pieces, so that it is neither copied nor in one block of memory. */
export class Chunks {
  readonly chunks: readonly Buffer[];
  readonly bytes: number;

  constructor(chunks: readonly Buffer[]) {
    this.chunks = chunks;
    this.bytes = chunks.reduce((sum, { length }) => sum + length, 0);
  }

  /** What fastify sends. */
  get payload(): Buffer | Readable {
    const [first = Buffer.alloc(0)] = this.chunks;
    return this.chunks.length > 1 ? Readable.from(this.chunks) : first;
  }
}

/** The JSON of an answer, which is made piece by piece while it is written. */
export class JsonPieces {
  readonly pieces: AsyncIterable<string>;

  constructor(pieces: AsyncIterable<string>) {
    this.pieces = pieces;
  }
}

/** The text of `JSON.stringify`, in pieces: the lists of an answer are what makes it long. */
export async function* jsonPieces(answer: unknown): AsyncGenerator<string> {
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) {
    yield JSON.stringify(answer);
    return;
  }
  let isFirst = true;
  for (const [name, value] of Object.entries(answer)) {
    if (value === undefined) continue;
    yield `${isFirst ? '{' : ','}${JSON.stringify(name)}:`;
    isFirst = false;
    if (Array.isArray(value)) yield* arrayPieces(value);
    else yield JSON.stringify(value);
  }
  yield isFirst ? '{}' : '}';
}

function* arrayPieces(items: readonly unknown[]): Generator<string> {
  let before = '[';
  for (const item of items) {
    yield `${before}${JSON.stringify(item) ?? 'null'}`;
    before = ',';
  }
  yield before === '[' ? '[]' : ']';
}

/** An object with nothing but this list, whose items are made while they are written. */
export async function* listPieces<Item>(
  name: string,
  items: readonly Item[],
  show: (item: Item) => unknown,
): AsyncGenerator<string> {
  let before = `{${JSON.stringify(name)}:[`;
  for (const item of items) {
    yield `${before}${JSON.stringify(show(item))}`;
    before = ',';
  }
  yield before === ',' ? ']}' : `${before}]}`;
}

/** Writes pieces of text one by one, and lets other work go in between every few milliseconds. */
export async function chunksOf(pieces: AsyncIterable<string>, held: Pick<HeldAnswer, 'add'>): Promise<Chunks> {
  const chunks: Buffer[] = [];
  let text = '';
  const flush = (): void => {
    const chunk = Buffer.from(text);
    text = '';
    held.add(chunk);
    chunks.push(chunk);
  };
  let startedAtMs = performance.now();
  for await (const piece of pieces) {
    text += piece;
    if (text.length >= CHUNK_CHARACTERS) flush();
    if (performance.now() - startedAtMs < PART_MS) continue;
    await nextTurn();
    startedAtMs = performance.now();
  }
  if (text !== '' || chunks.length === 0) flush();
  return new Chunks(chunks);
}
