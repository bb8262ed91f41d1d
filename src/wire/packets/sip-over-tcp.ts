import type { DatagramReader } from './datagram.ts';

// A server's reader of SIP (wire/sip/stream.ts) gives a connection up at the first fault; a capture has to get over it.

/** Connections followed at most, each one way, and the bytes kept of all; the one silent for longest goes first. */
const MAX_FLOWS = 4096;
const MAX_KEPT_BYTES = 8_388_608;
/** A message with its body, and what may wait for a missing segment; a message of more is no SIP that names media. */
const MAX_MESSAGE_BYTES = 65_535;
const MAX_WAITING_BYTES = 65_536;
const MAX_WAITING_SEGMENTS = 64;
const FIRST_BUFFER_BYTES = 2048;
/** A start line is looked for in so many bytes (the longest request URI that is read, and what stands around it). */
const MAX_START_LINE_BYTES = 2048;
/** Further away in the sequence it is another connection between the same ports. */
const MAX_AHEAD_BYTES = 1_048_576;

const TLS_FIRST_TYPE = 20;
const TLS_LAST_TYPE = 23;
const TLS_MAJOR_VERSION = 3;
const TCP_SYN = 0x02;
const CR = 0x0d;
const LF = 0x0a;
/** Registered: 5060 and 5061. The others are what people take beside them. */
const FIRST_SIP_PORT = 5060;
const LAST_SIP_PORT = 5099;

/** The beginning of a start line (RFC 3261 §7), however short. */
const START_OF_MESSAGE = /^(?:SIP\/2\.0 |[A-Z]{2,20} (?:sips?|tel|urn):)/;
const START_LINE = /^(?:[A-Z]{2,20} \S{1,2000} SIP\/2\.0|SIP\/2\.0 \d{3} [^\r\n]*)$/;
const MAY_BECOME_START =
  /^(?:S|SI|SIP|SIP\/|SIP\/2|SIP\/2\.|SIP\/2\.0|SIP\/2\.0 [^\r\n]*|[A-Z]{1,20}|[A-Z]{2,20} \S{0,2000}|[A-Z]{2,20} \S{1,2000} [SIP/2.0]{0,7})\r?$/;
/** RFC 3261 §20.14; `l` is the short form. */
const CONTENT_LENGTH = /^(?:content-length|l)[ \t]*:[ \t]*(\d{1,9})[ \t]*\r?$/im;

interface Segment {
  readonly sequence: number;
  readonly bytes: Uint8Array;
  readonly wireBytes: number;
}

/** Takes one SIP message as it lies in these bytes, valid until it returns. */
export type TakeMessage = (view: DataView, start: number, end: number) => void;

const latin1 = new TextDecoder('latin1');

/** One way of a connection. */
class Flow {
  /** The number of the next byte; undefined: no beginning of a message was found yet. */
  nextSequence: number | undefined;
  /** The number of the message that it began with, if that was not the connection's beginning. */
  firstSequence: number | undefined;
  waiting: Segment[] = [];
  #buffer = new Uint8Array(0);
  #used = 0;
  /** From where on the end of the headers is looked for. */
  #searchedTo = 0;
  /** The length of the message at the beginning of the buffer; 0: its headers are not whole yet. */
  #messageBytes = 0;

  get waitingBytes(): number {
    return this.waiting.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  get keptBytes(): number {
    return this.#buffer.length + this.waitingBytes;
  }

  /** Whether this byte was passed already. */
  hasPassed(sequence: number): boolean {
    if (this.nextSequence === undefined) return false;
    const behind = (this.nextSequence - sequence) | 0;
    return behind >= 0 && behind <= MAX_AHEAD_BYTES;
  }

  append(bytes: Uint8Array): void {
    if (this.#used + bytes.length > this.#buffer.length) {
      const room = Math.max(FIRST_BUFFER_BYTES, this.#buffer.length * 2, this.#used + bytes.length);
      const larger = new Uint8Array(room);
      larger.set(this.#buffer.subarray(0, this.#used));
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  /** Hands on every whole message. False when what stands there is no SIP. */
  takeMessages(take: TakeMessage): boolean {
    for (;;) {
      this.#skipEmptyLines();
      if (this.#used === 0) {
        this.#buffer = new Uint8Array(0);
        return true;
      }
      if (this.#messageBytes === 0 && !this.#measure()) return this.#mayBecomeMessage();
      if (this.#messageBytes > MAX_MESSAGE_BYTES) return false;
      if (this.#used < this.#messageBytes) return true;
      this.#hand(this.#messageBytes, take);
      this.#drop(this.#messageBytes);
    }
  }

  /** Hands on what there is of a message whose rest will never come. */
  takeRest(take: TakeMessage): void {
    if (this.#used > 0) this.#hand(this.#used, take);
    this.clear();
  }

  clear(): void {
    this.#buffer = new Uint8Array(0);
    this.#used = 0;
    this.#searchedTo = 0;
    this.#messageBytes = 0;
  }

  #hand(bytes: number, take: TakeMessage): void {
    take(new DataView(this.#buffer.buffer, 0, bytes), 0, bytes);
  }

  #drop(bytes: number): void {
    this.#buffer.copyWithin(0, bytes, this.#used);
    this.#used -= bytes;
    this.#searchedTo = 0;
    this.#messageBytes = 0;
  }

  /** Between messages there may be some, and alone they keep a connection alive (RFC 5626 §3.5.1). */
  #skipEmptyLines(): void {
    if (this.#messageBytes > 0 || this.#searchedTo > 0) return;
    let count = 0;
    while (count < this.#used && isLineEnd(this.#buffer[count])) count += 1;
    if (count > 0) this.#drop(count);
  }

  /** Finds the end of the headers, and with it how long the message is. */
  #measure(): boolean {
    const buffer = this.#buffer;
    for (let at = this.#searchedTo; at < this.#used; at += 1) {
      if (buffer[at] !== LF) continue;
      const isEnd = buffer[at - 1] === LF || (buffer[at - 1] === CR && buffer[at - 2] === LF);
      if (!isEnd) continue;
      const headers = latin1.decode(buffer.subarray(0, at));
      const [startLine = ''] = headers.split(/\r?\n/, 1);
      // Without it, which RFC 3261 forbids here, the message ends with what has come.
      const bodyBytes = Number(CONTENT_LENGTH.exec(headers)?.[1] ?? this.#used - at - 1);
      this.#messageBytes = START_LINE.test(startLine) ? at + 1 + bodyBytes : Number.POSITIVE_INFINITY;
      return true;
    }
    this.#searchedTo = this.#used;
    return false;
  }

  #mayBecomeMessage(): boolean {
    if (this.#used > MAX_MESSAGE_BYTES) return false;
    const text = latin1.decode(this.#buffer.subarray(0, Math.min(this.#used, MAX_START_LINE_BYTES)));
    const lineEnd = text.indexOf('\n');
    return lineEnd < 0 ? MAY_BECOME_START.test(text) : START_LINE.test(text.slice(0, lineEnd).replace(/\r$/, ''));
  }
}

/**
 * Finds SIP messages in TCP (RFC 3261 §18.3): segments in any order, repeated, cut anywhere, several messages in one. A
 * connection is followed from its beginning, or from a segment that begins a message.
 */
export class SipOverTcp {
  readonly #flows = new Map<string, Flow>();
  readonly #take: TakeMessage;
  #keptBytes = 0;

  constructor(take: TakeMessage) {
    this.#take = take;
  }

  /** Takes the segment that `reader` holds; false when it belongs to no connection with SIP. */
  take(reader: DatagramReader): boolean {
    const { addressWords, addressWordCount, sourcePort, destinationPort, tcpFlags, tcpSequence } = reader;
    const isSyn = (tcpFlags & TCP_SYN) !== 0;
    if (!isSyn && (reader.payloadBytes === 0 || isTlsOfSip(reader))) return false;
    const beginsMessage = !isSyn && beginsSip(reader);
    const key = `${addressWords.subarray(0, addressWordCount).join()},${sourcePort},${destinationPort}`;
    let flow = this.#flows.get(key);
    // Sent or captured once more.
    if (isSyn && flow?.hasPassed((tcpSequence + 1) >>> 0) === true) return false;
    if (isSyn || flow === undefined) {
      if (!isSyn && !beginsMessage && !isSipPort(sourcePort) && !isSipPort(destinationPort)) return false;
      if (flow !== undefined) this.#forget(key, flow);
      flow = new Flow();
      if (isSyn) flow.nextSequence = (tcpSequence + 1) >>> 0;
    }
    const before = flow.keptBytes;
    const isSip = reader.payloadBytes > 0 && this.#takeSegment(flow, reader, beginsMessage);
    this.#keptBytes += flow.keptBytes - before;
    if (isSip || isSyn) {
      this.#flows.delete(key);
      this.#flows.set(key, flow);
    } else {
      this.#forget(key, flow);
    }
    while (this.#flows.size > MAX_FLOWS || this.#keptBytes > MAX_KEPT_BYTES) this.#forgetOldest();
    return isSip && flow.nextSequence !== undefined;
  }

  /** Hands on what is left of messages whose rest was not captured. */
  finish(): void {
    for (const flow of this.#flows.values()) flow.takeRest(this.#take);
    this.#flows.clear();
  }

  #takeSegment(flow: Flow, reader: DatagramReader, beginsMessage: boolean): boolean {
    const { view, payloadStart, payloadEnd, payloadBytes, tcpSequence } = reader;
    const ahead = flow.nextSequence === undefined ? 0 : (tcpSequence - flow.nextSequence) | 0;
    if (beginsMessage && (flow.nextSequence === undefined || Math.abs(ahead) > MAX_AHEAD_BYTES)) {
      flow.takeRest(this.#take);
      flow.nextSequence = tcpSequence;
      flow.firstSequence = tcpSequence;
    } else if (beginsMessage && flow.firstSequence !== undefined && ((tcpSequence - flow.firstSequence) | 0) < 0) {
      flow.firstSequence = tcpSequence;
      return this.#takeEarlier(reader);
    } else if (Math.abs(ahead) > MAX_AHEAD_BYTES) {
      return false;
    }
    flow.waiting.push({
      sequence: tcpSequence,
      // A copy: the reader's buffer is overwritten.
      bytes: new Uint8Array(view.buffer, view.byteOffset + payloadStart, payloadEnd - payloadStart).slice(),
      wireBytes: payloadBytes,
    });
    if (!this.#drain(flow)) return false;
    const isFull = flow.waiting.length > MAX_WAITING_SEGMENTS || flow.waitingBytes > MAX_WAITING_BYTES;
    return isFull ? this.#skipHole(flow) : true;
  }

  /** A message from before the one that the connection is followed from. */
  #takeEarlier({ view, payloadStart, payloadEnd }: DatagramReader): boolean {
    const flow = new Flow();
    flow.append(new Uint8Array(view.buffer, view.byteOffset + payloadStart, payloadEnd - payloadStart));
    if (flow.takeMessages(this.#take)) flow.takeRest(this.#take);
    return true;
  }

  /** Appends what waits and has become due. False when it is no SIP. */
  #drain(flow: Flow): boolean {
    for (;;) {
      const { nextSequence, waiting } = flow;
      if (nextSequence === undefined) return true;
      const index = waiting.findIndex(({ sequence }) => ((sequence - nextSequence) | 0) <= 0);
      const segment = waiting[index];
      if (segment === undefined) return true;
      waiting.splice(index, 1);
      const known = (nextSequence - segment.sequence) | 0;
      if (known >= segment.wireBytes) continue;
      flow.append(segment.bytes.subarray(known));
      flow.nextSequence = (segment.sequence + segment.wireBytes) >>> 0;
      if (!flow.takeMessages(this.#take)) {
        flow.clear();
        return false;
      }
      // The capture kept only its beginning: the message is as whole as it gets.
      if (segment.bytes.length < segment.wireBytes) {
        flow.takeRest(this.#take);
        flow.nextSequence = undefined;
      }
    }
  }

  /** A segment was not captured: goes on at the first message that begins behind the hole. */
  #skipHole(flow: Flow): boolean {
    flow.takeRest(this.#take);
    const base = flow.nextSequence ?? flow.waiting[0]?.sequence ?? 0;
    const inOrder = flow.waiting.toSorted((one, other) => ((one.sequence - base) | 0) - ((other.sequence - base) | 0));
    const first = inOrder.findIndex(({ bytes }) =>
      START_OF_MESSAGE.test(latin1.decode(bytes.subarray(0, 64)).trimStart()),
    );
    flow.waiting = first < 0 ? [] : inOrder.slice(first);
    flow.nextSequence = flow.waiting[0]?.sequence;
    return this.#drain(flow);
  }

  #forgetOldest(): void {
    for (const [key, flow] of this.#flows) {
      this.#forget(key, flow);
      return;
    }
  }

  #forget(key: string, flow: Flow): void {
    this.#keptBytes -= flow.keptBytes;
    this.#flows.delete(key);
    flow.takeRest(this.#take);
  }
}

/** Behind empty lines, too: a keep-alive may be in the same segment. */
function beginsSip({ view, payloadStart, payloadEnd }: DatagramReader): boolean {
  let start = payloadStart;
  while (start < payloadEnd && isLineEnd(view.getUint8(start))) start += 1;
  if (payloadEnd - start < 8) return false;
  const first = view.getUint8(start);
  if (first < 0x41 || first > 0x5a) return false;
  const bytes = new Uint8Array(view.buffer, view.byteOffset + start, Math.min(64, payloadEnd - start));
  return START_OF_MESSAGE.test(latin1.decode(bytes));
}

/** A TLS record (RFC 8446 §5.1) on a port of SIP: there is SIP in it that cannot be read. */
export function isTlsOfSip({ view, payloadStart, payloadEnd, sourcePort, destinationPort }: DatagramReader): boolean {
  if (payloadEnd - payloadStart < 3 || (!isSipPort(sourcePort) && !isSipPort(destinationPort))) return false;
  const type = view.getUint8(payloadStart);
  return type >= TLS_FIRST_TYPE && type <= TLS_LAST_TYPE && view.getUint8(payloadStart + 1) === TLS_MAJOR_VERSION;
}

function isLineEnd(byte: number | undefined): boolean {
  return byte === CR || byte === LF;
}

function isSipPort(port: number): boolean {
  return port >= FIRST_SIP_PORT && port <= LAST_SIP_PORT;
}
