import { contentLength, MAX_SIP_MESSAGE_BYTES, readSipHead, type SipHead, type SipMessage } from './message.ts';

const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;
const NOTHING = new Uint8Array(0);

/** What arrived on a connection: a message, an empty line pair that wants an answer (RFC 5626 §3.5.1), or why it must close. */
export type SipStreamItem =
  | { readonly kind: 'message'; readonly message: SipMessage }
  | { readonly kind: 'keep-alive' }
  | { readonly kind: 'unreadable'; readonly why: 'no SIP message' | 'no Content-Length' | 'too large' };

/** A message whose body is still to come. */
interface OpenMessage {
  readonly head: SipHead;
  readonly bodyStart: number;
  readonly bodyBytes: number;
}

/**
 * Cuts a connection's bytes into SIP messages in bounded memory; after `unreadable` it takes nothing more. It looks at each
 * byte once, so that a peer that sends a message byte by byte costs no more than others.
 */
export class SipStreamReader {
  /** The waiting bytes are from `#start` to `#end`. Behind them is room for more. */
  #room = NOTHING;
  #start = 0;
  #end = 0;
  /** So many of the waiting bytes were searched for the end of a head. */
  #searched = 0;
  #open: OpenMessage | undefined;
  #isBroken = false;

  /** Takes the next bytes and returns what is whole now, in order. */
  push(chunk: Uint8Array): SipStreamItem[] {
    if (this.#isBroken) return [];
    this.#append(chunk);
    const items: SipStreamItem[] = [];
    for (let item = this.#take(); item !== undefined; item = this.#take()) {
      items.push(item);
      if (item.kind === 'unreadable') {
        this.#isBroken = true;
        this.#drop(this.#end - this.#start);
        break;
      }
    }
    return items;
  }

  get #waiting(): Uint8Array {
    return this.#room.subarray(this.#start, this.#end);
  }

  #append(chunk: Uint8Array): void {
    if (this.#end + chunk.length > this.#room.length) {
      const waiting = this.#waiting;
      const length = waiting.length + chunk.length;
      if (length > this.#room.length) {
        this.#room = new Uint8Array(Math.max(length, Math.min(2 * length, MAX_SIP_MESSAGE_BYTES)));
      }
      this.#room.set(waiting);
      this.#start = 0;
      this.#end = waiting.length;
    }
    this.#room.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** The first bytes are done with. */
  #drop(count: number): void {
    this.#start += count;
    if (this.#start === this.#end) {
      this.#room = NOTHING;
      this.#start = 0;
      this.#end = 0;
    }
    this.#searched = 0;
    this.#open = undefined;
  }

  #take(): SipStreamItem | undefined {
    if (this.#open === undefined) {
      if (this.#searched === 0 && this.#skipBlankLines()) return { kind: 'keep-alive' };
      const problem = this.#readHead();
      if (problem !== undefined) return problem;
    }
    return this.#takeMessage();
  }

  #takeMessage(): SipStreamItem | undefined {
    if (this.#open === undefined) return undefined;
    const { head, bodyStart, bodyBytes } = this.#open;
    const end = bodyStart + bodyBytes;
    if (this.#end - this.#start < end) return undefined;
    const body = new TextDecoder().decode(this.#waiting.subarray(bodyStart, end));
    this.#drop(end);
    return { kind: 'message', message: { ...head, body } };
  }

  /** Opens the message whose head is whole now. */
  #readHead(): SipStreamItem | undefined {
    const bytes = this.#waiting;
    const end = endOfHead(bytes, this.#searched);
    if (end === undefined) {
      // The last two bytes may be the beginning of an empty line.
      this.#searched = Math.max(this.#searched, bytes.length - 2);
      return bytes.length > MAX_SIP_MESSAGE_BYTES ? broken('too large') : undefined;
    }
    const head = readSipHead(new TextDecoder().decode(bytes.subarray(0, end.textEnd)));
    if (head === undefined) return broken('no SIP message');
    const bodyBytes = contentLength(head);
    if (bodyBytes === undefined || bodyBytes === null) return broken('no Content-Length');
    if (end.bodyStart + bodyBytes > MAX_SIP_MESSAGE_BYTES) return broken('too large');
    this.#open = { head, bodyStart: end.bodyStart, bodyBytes };
    return undefined;
  }

  /** CRLFCRLF between messages asks whether the connection lives; a single line end is skipped (RFC 3261 §7.5). */
  #skipBlankLines(): boolean {
    let count = 0;
    let at = 0;
    const bytes = this.#waiting;
    for (; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte === LINE_FEED) count++;
      else if (byte !== CARRIAGE_RETURN) break;
    }
    if (at > 0) this.#drop(at);
    return count >= 2;
  }
}

function broken(why: 'no SIP message' | 'no Content-Length' | 'too large'): SipStreamItem {
  return { kind: 'unreadable', why };
}

/** Where the first empty line is behind `from`: the end of the text before it, and the beginning of what follows. */
function endOfHead(
  bytes: Uint8Array,
  from: number,
): { readonly textEnd: number; readonly bodyStart: number } | undefined {
  for (let at = bytes.indexOf(LINE_FEED, from); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1)) {
    const textEnd = bytes[at - 1] === CARRIAGE_RETURN ? at - 1 : at;
    if (bytes[at + 1] === LINE_FEED) return { textEnd, bodyStart: at + 2 };
    if (bytes[at + 1] === CARRIAGE_RETURN && bytes[at + 2] === LINE_FEED) return { textEnd, bodyStart: at + 3 };
  }
  return undefined;
}
