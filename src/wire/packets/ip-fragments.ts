/** Datagrams waited for or remembered at most, and the bytes kept of them: a bound for hostile input. The oldest go first. */
const MAX_DATAGRAMS = 512;
const MAX_KEPT_BYTES = 4_194_304;
const MAX_PARTS = 192;
const MAX_DATAGRAM_BYTES = 65_535;
/** After this long an identification may stand for another datagram. Hosts wait longer (RFC 791: 15 s), captures need not. */
const MAX_AGE_MS = 5000;

/** One fragment of an IP datagram. */
export interface Fragment {
  /** Addresses, protocol and identification, as text. */
  readonly key: string;
  readonly offset: number;
  readonly isLast: boolean;
  /** Bytes on the wire; more than `bytes` when the capture cut it short. */
  readonly wireBytes: number;
  readonly bytes: Uint8Array;
  readonly atMs: number;
  /** A first one that is handed on as its datagram. */
  readonly isShown: boolean;
}

interface Part {
  readonly offset: number;
  readonly wireBytes: number;
  readonly bytes: Uint8Array;
}

/** One datagram, or one copy of it when its fragments were captured more than once. */
class Waiting {
  readonly key: string;
  readonly atMs: number;
  parts: Part[] = [];
  keptBytes = 0;
  wireBytes = 0;
  /** The length of the whole datagram; -1: its last fragment has not come yet. */
  totalBytes = -1;
  isComplete = false;
  /** Its first fragment was handed on before any later one had been seen. */
  isShown = false;

  constructor(key: string, atMs: number) {
    this.key = key;
    this.atMs = atMs;
  }
}

/** A datagram put together again. */
export interface Reassembled {
  /** The bytes that were captured without a hole. */
  readonly bytes: Uint8Array;
  readonly wireBytes: number;
  /** Its first fragment was handed on before. */
  readonly isShown: boolean;
}

/**
 * Puts IP datagrams together from their fragments (RFC 791 §3.2, RFC 8200 §4.5), in whatever order they come; copies of
 * fragments make copies of the datagram. Overlapping fragments are an attack (RFC 5722): their datagram is given up.
 */
export class IpFragments {
  /** Fragments that became part of a datagram after they had been called fragments. */
  joined = 0;
  /** Whether any fragment but a first one has been seen: a capture filtered by port has none. */
  hasLaterOnes = false;
  readonly #byKey = new Map<string, Waiting[]>();
  /** Oldest first. */
  readonly #all = new Set<Waiting>();
  #keptBytes = 0;

  /** Takes a fragment; gives back the datagram that it makes whole, or undefined. */
  take(fragment: Fragment): Reassembled | undefined {
    const { key, offset, wireBytes, isLast, atMs } = fragment;
    if (offset > 0) this.hasLaterOnes = true;
    if (wireBytes === 0 || offset + wireBytes > MAX_DATAGRAM_BYTES || (!isLast && wireBytes % 8 !== 0))
      return undefined;
    const waiting = this.#place(key, atMs, fragment);
    if (waiting === undefined) return undefined;
    if (isLast) waiting.totalBytes = offset + wireBytes;
    waiting.wireBytes += wireBytes;
    waiting.keptBytes += fragment.bytes.length;
    this.#keptBytes += fragment.bytes.length;
    // A copy: the reader's buffer is overwritten.
    waiting.parts.push({ offset, wireBytes, bytes: Uint8Array.from(fragment.bytes) });
    if (fragment.isShown) waiting.isShown = true;
    if (waiting.totalBytes === waiting.wireBytes) return this.#complete(waiting);
    while (this.#all.size > MAX_DATAGRAMS || this.#keptBytes > MAX_KEPT_BYTES) this.#forgetOldest();
    return undefined;
  }

  /** The copy of the datagram that has no such fragment yet; undefined when it was given up. */
  #place(key: string, atMs: number, { offset, wireBytes }: Fragment): Waiting | undefined {
    let copies = this.#byKey.get(key) ?? [];
    if (copies.some((copy) => Math.abs(atMs - copy.atMs) > MAX_AGE_MS)) {
      for (const copy of copies) this.#forget(copy);
      copies = [];
    }
    for (const copy of copies) {
      if (copy.parts.some((part) => part.offset === offset && part.wireBytes === wireBytes)) continue;
      const isBad =
        copy.parts.length >= MAX_PARTS ||
        copy.parts.some((part) => offset < part.offset + part.wireBytes && part.offset < offset + wireBytes) ||
        (copy.totalBytes >= 0 && offset + wireBytes > copy.totalBytes);
      if (!isBad) return copy;
      this.#forget(copy);
      return undefined;
    }
    const fresh = new Waiting(key, atMs);
    this.#byKey.set(key, [...copies, fresh]);
    this.#all.add(fresh);
    return fresh;
  }

  #complete(waiting: Waiting): Reassembled {
    const { parts, totalBytes, isShown } = waiting;
    const bytes = new Uint8Array(totalBytes);
    let captured = 0;
    for (const part of parts.toSorted((one, other) => one.offset - other.offset)) {
      if (part.offset !== captured) break;
      bytes.set(part.bytes, captured);
      captured += part.bytes.length;
    }
    // Neither the first that was handed on nor the one that completes it has been called a fragment.
    this.joined += parts.length - (isShown ? 2 : 1);
    this.#keptBytes -= waiting.keptBytes;
    waiting.keptBytes = 0;
    waiting.isComplete = true;
    // Keeps what copies are recognised by, and drops their content.
    waiting.parts = parts.map((part) => ({ ...part, bytes: NOTHING }));
    return { bytes: bytes.subarray(0, captured), wireBytes: totalBytes, isShown };
  }

  #forgetOldest(): void {
    for (const oldest of this.#all) {
      this.#forget(oldest);
      return;
    }
  }

  #forget(waiting: Waiting): void {
    if (!this.#all.delete(waiting)) return;
    this.#keptBytes -= waiting.keptBytes;
    const others = (this.#byKey.get(waiting.key) ?? []).filter((other) => other !== waiting);
    if (others.length === 0) this.#byKey.delete(waiting.key);
    else this.#byKey.set(waiting.key, others);
  }
}

const NOTHING = new Uint8Array(0);
