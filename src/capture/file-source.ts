import { type FileHandle, open } from 'node:fs/promises';
import { type Readable, pipeline } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Gunzip, constants, createGunzip } from 'node:zlib';
import { errorCode } from '../model/errors/error-code.ts';
import { FORMAT_BYTES, readerFor } from '../wire/packets/capture-format.ts';
import { type CaptureReader, MAX_RECORD_BYTES, type PacketCursor } from '../wire/packets/packet-cursor.ts';

/** Bytes read at once: enough that system calls do not matter, and few enough to stay in the processor's cache. */
const READ_BYTES = 524_288;
const GZIP_MAGIC = 0x1f8b;

/** Why a capture cannot be read, in one plain sentence. */
export class CaptureFileError extends Error {
  override readonly name = 'CaptureFileError';
}

/** How a capture ended: whole, in the middle of a packet (the capture was killed), or in bytes that make no sense. */
export interface CaptureEnd {
  readonly kind: 'whole' | 'cut-short' | 'damaged';
  /** What is wrong with it, as one sentence; empty when it is whole. */
  readonly note: string;
  /** Packets that the capturing program says it dropped; they look like losses. */
  readonly droppedPackets: number;
}

/** Fills a buffer as far as there are bytes. Resolves with their number; 0: the end. */
type Fill = (buffer: Uint8Array) => Promise<number>;

/**
 * Reads a capture file (`-`: standard input), plain or gzip, pcap or pcapng, and gives `take` every packet; `progress` gets the
 * bytes read. Memory does not depend on the file's size. Throws CaptureFileError when it is no capture.
 */
export async function readCaptureFile(
  path: string,
  take: (packet: PacketCursor) => void,
  progress: (readBytes: number) => void = () => undefined,
): Promise<CaptureEnd> {
  if (path === '-') return readCaptureStream('Standard input', process.stdin, take, progress);
  let file: FileHandle;
  try {
    file = await open(path);
  } catch (error) {
    throw new CaptureFileError(`${path} cannot be opened (${errorCode(error)}); check the name and its permissions.`);
  }
  try {
    if ((await file.stat()).isDirectory())
      throw new CaptureFileError(`${path} is a directory; name a capture file in it.`);
    const magic = new Uint8Array(2);
    await file.read(magic, 0, 2, 0);
    const isGzip = ((magic[0] ?? 0) << 8) + (magic[1] ?? 0) === GZIP_MAGIC;
    if (isGzip) return await readCaptureStream(path, file.createReadStream({ autoClose: false }), take, progress);
    const fill: Fill = async (buffer) => (await file.read(buffer, 0, buffer.length, null)).bytesRead;
    return await pump(path, fill, take, progress);
  } catch (error) {
    if (error instanceof CaptureFileError) throw error;
    throw new CaptureFileError(`${path} cannot be read (${errorCode(error)}); check its disk, or copy it anew.`);
  } finally {
    await file.close();
  }
}

/** Reads a capture, gzip or not, from a stream of bytes. Throws a CaptureFileError when it is none. */
export async function readCaptureStream(
  name: string,
  bytes: Readable,
  take: (packet: PacketCursor) => void,
  progress: (readBytes: number) => void = () => undefined,
): Promise<CaptureEnd> {
  const unpacking: Unpacking = { problem: undefined };
  const chunks = plainChunks(bytes, unpacking);
  let chunk: Uint8Array = new Uint8Array(0);
  const fill: Fill = async (buffer) => {
    while (chunk.length === 0) {
      const next = await chunks.next();
      if (next.done === true) return 0;
      chunk = next.value;
    }
    const part = chunk.subarray(0, buffer.length);
    buffer.set(part);
    chunk = chunk.subarray(part.length);
    return part.length;
  };
  const end = await pump(name, fill, take, progress).catch((error: unknown) => {
    if (unpacking.problem === undefined) throw error;
    throw new CaptureFileError(
      `${name} is gzip data that ends or breaks before a capture begins; copy it anew from where it is whole.`,
    );
  });
  if (unpacking.problem === undefined || end.kind === 'damaged') return end;
  const note =
    unpacking.problem === 'cut-short'
      ? `${name} is cut short: its gzip data ends too early.`
      : `${name} is damaged: its gzip data makes no sense from some place on.`;
  return { ...end, kind: unpacking.problem, note };
}

/** Why a gzip stream could not be unpacked whole; undefined: all is well so far. */
interface Unpacking {
  problem: 'cut-short' | 'damaged' | undefined;
}

/** The bytes of a stream, unpacked if they begin as gzip does, up to where they can be unpacked. */
async function* plainChunks(bytes: Readable, unpacking: Unpacking): AsyncGenerator<Uint8Array> {
  const chunks = bytes[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  const first = await chunks.next();
  if (first.done === true) return;
  const all = startWith(first.value, chunks);
  const isGzip = ((first.value[0] ?? 0) << 8) + (first.value[1] ?? 0) === GZIP_MAGIC;
  if (!isGzip) {
    yield* all;
    return;
  }
  const gunzip = createGunzip();
  try {
    // `pipeline` passes an error of the packed bytes on to the reader.
    yield* pipeline(flushedAtEnd(all, gunzip), gunzip, () => undefined) as AsyncIterable<Uint8Array>;
  } catch (error) {
    const code = errorCode(error);
    if (!code.startsWith('Z_')) throw error;
    unpacking.problem = code === 'Z_BUF_ERROR' ? 'cut-short' : 'damaged';
  }
}

/** A file that is cut short ends in an error, which would discard what was unpacked and not read yet. So that is read first. */
async function* flushedAtEnd(packed: AsyncIterable<Uint8Array>, gunzip: Gunzip): AsyncGenerator<Uint8Array> {
  yield* packed;
  await new Promise<void>((resolve) => {
    gunzip.flush(constants.Z_SYNC_FLUSH, resolve);
  });
  while (gunzip.readableLength > 0) await nextTurn();
}

async function* startWith(first: Uint8Array, others: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first;
  yield* { [Symbol.asyncIterator]: () => others };
}

/** Room in front of the bytes that are read next, for the rest of one record and its header. */
const CARRY_BYTES = MAX_RECORD_BYTES + 4096;

/** A buffer with room for what the buffer before left over, and for one read after it. */
class ReadBuffer {
  readonly bytes = new Uint8Array(CARRY_BYTES + READ_BYTES);
  readonly view = new DataView(this.bytes.buffer);
  readonly room = this.bytes.subarray(CARRY_BYTES);
}

/** Reads into one buffer while the packets of the other are taken. */
async function pump(
  name: string,
  fill: Fill,
  take: (packet: PacketCursor) => void,
  progress: (readBytes: number) => void,
): Promise<CaptureEnd> {
  let now = new ReadBuffer();
  let next = new ReadBuffer();
  let reader: CaptureReader | undefined;
  let total = 0;
  let start = CARRY_BYTES;
  let count = await fill(now.room);
  while (count > 0) {
    const reading = fill(next.room);
    const end = CARRY_BYTES + count;
    total += count;
    let rest = start;
    if (reader !== undefined || end - start >= FORMAT_BYTES) {
      reader ??= readerFor(new DataView(now.bytes.buffer, start));
      if (reader === undefined) {
        await reading;
        throw noCapture(name);
      }
      reader.feed(now.view, start, end);
      while (reader.next()) take(reader);
      rest = reader.consumed;
    }
    count = await reading;
    if (reader?.damage !== undefined) {
      return {
        kind: 'damaged',
        note: `${name} is damaged near byte ${total - (end - rest)}: ${reader.damage}.`,
        droppedPackets: reader.droppedPackets,
      };
    }
    start = CARRY_BYTES - (end - rest);
    next.bytes.set(now.bytes.subarray(rest, end), start);
    [now, next] = [next, now];
    progress(total);
  }
  if (total === 0) throw new CaptureFileError(`${name} is empty; give a capture that has packets.`);
  if (reader === undefined) throw noCapture(name);
  const { droppedPackets } = reader;
  return start === CARRY_BYTES
    ? { kind: 'whole', note: '', droppedPackets }
    : { kind: 'cut-short', note: `${name} ends in the middle of a packet.`, droppedPackets };
}

function noCapture(name: string): CaptureFileError {
  return new CaptureFileError(
    `${name} is not a capture; give a pcap or pcapng file, such as tcpdump and Wireshark write.`,
  );
}
