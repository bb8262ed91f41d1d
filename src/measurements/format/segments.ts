/**
 * The file of a call while it is up: segments, each `[length, 32 bit, big endian][an age file]`, appended as the call goes on.
 * A process that ends in mid-call leaves all whole segments readable. A finished file is one age file without a length.
 */

const LENGTH_BYTES = 4;
/** Bound on a whole file. */
export const MOST_FILE_BYTES = 65_536;
/** The first line of every age file (age-encryption.org/v1). */
export const AGE_MAGIC = 'age-encryption.org/v1\n';

export interface SplitFile {
  readonly segments: readonly Uint8Array[];
  /** Bytes at the end that are not a whole segment. */
  readonly tornBytes: number;
}

export function framed(segment: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(LENGTH_BYTES + segment.length);
  new DataView(bytes.buffer).setUint32(0, segment.length);
  bytes.set(segment, LENGTH_BYTES);
  return bytes;
}

/** Splits a file into its age files, up to the first that is cut or is not one. */
export function splitSegments(file: Uint8Array): SplitFile {
  if (isAge(file)) return { segments: [file], tornBytes: 0 };
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const segments: Uint8Array[] = [];
  let at = 0;
  while (at + LENGTH_BYTES <= file.length) {
    const end = at + LENGTH_BYTES + view.getUint32(at);
    if (end > file.length) break;
    const segment = file.subarray(at + LENGTH_BYTES, end);
    if (!isAge(segment)) break;
    segments.push(segment);
    at = end;
  }
  return { segments, tornBytes: file.length - at };
}

const MAGIC_BYTES = Uint8Array.from(AGE_MAGIC, (letter) => letter.charCodeAt(0));

function isAge(bytes: Uint8Array): boolean {
  return bytes.length > MAGIC_BYTES.length && MAGIC_BYTES.every((byte, index) => bytes[index] === byte);
}

const LINE_END = 10;
const LONGEST_HEADER = 4096;
const STANZA = /^-> X25519 [A-Za-z0-9+/]{43}\n[A-Za-z0-9+/]{43}\n/;
const FOOTER = /^--- [A-Za-z0-9+/]{43}\n$/;

/**
 * The number of X25519 recipients in a segment's header; null when it is no age header, or has other ways in, such as a
 * passphrase. The header does not say whose keys they are: age hides that.
 */
export function recipientsOf(segment: Uint8Array): number | null {
  if (!isAge(segment)) return null;
  const header = Array.from(segment.subarray(AGE_MAGIC.length, LONGEST_HEADER), (byte) =>
    String.fromCharCode(byte),
  ).join('');
  const footerAt = header.indexOf('\n--- ') + 1;
  const end = header.indexOf('\n', footerAt);
  if (footerAt === 0 || end < 0 || !FOOTER.test(header.slice(footerAt, end + 1))) return null;
  if (segment[AGE_MAGIC.length + end] !== LINE_END) return null;
  let stanzas = 0;
  let rest = header.slice(0, footerAt);
  while (rest !== '') {
    const stanza = STANZA.exec(rest)?.[0];
    if (stanza === undefined) return null;
    rest = rest.slice(stanza.length);
    stanzas += 1;
  }
  return stanzas === 0 ? null : stanzas;
}
