import { contentLength, MAX_SIP_MESSAGE_BYTES, readSipHead, type SipHead, type SipMessage } from './message.ts';

const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;

/** What arrived on a connection: a message, an empty line pair that wants an answer (RFC 5626 §3.5.1), or why it must close. */
export type SipStreamItem =
  | { readonly kind: 'message'; readonly message: SipMessage }
  | { readonly kind: 'keep-alive' }
  | { readonly kind: 'unreadable'; readonly why: 'no SIP message' | 'no Content-Length' | 'too large' };

/** Cuts a connection's bytes into SIP messages in bounded memory; after `unreadable` it takes nothing more. */
export class SipStreamReader {
  #pending = new Uint8Array(0);
  #isBroken = false;

  /** Takes the next bytes and returns what is whole now, in order. */
  push(chunk: Uint8Array): SipStreamItem[] {
    if (this.#isBroken) return [];
    const joined = new Uint8Array(this.#pending.length + chunk.length);
    joined.set(this.#pending);
    joined.set(chunk, this.#pending.length);
    this.#pending = joined;
    const items: SipStreamItem[] = [];
    for (let item = this.#take(); item !== undefined; item = this.#take()) {
      items.push(item);
      if (item.kind === 'unreadable') {
        this.#isBroken = true;
        this.#pending = new Uint8Array(0);
        break;
      }
    }
    return items;
  }

  #take(): SipStreamItem | undefined {
    const blank = this.#skipBlankLines();
    if (blank !== undefined) return blank;
    const bytes = this.#pending;
    if (bytes.length === 0) return undefined;
    const head = endOfHead(bytes);
    if (head === undefined) return bytes.length > MAX_SIP_MESSAGE_BYTES ? broken('too large') : undefined;
    const read: SipHead | undefined = readSipHead(new TextDecoder().decode(bytes.subarray(0, head.textEnd)));
    if (read === undefined) return broken('no SIP message');
    const length = contentLength(read);
    if (length === undefined || length === null) return broken('no Content-Length');
    if (head.bodyStart + length > MAX_SIP_MESSAGE_BYTES) return broken('too large');
    if (bytes.length < head.bodyStart + length) return undefined;
    const body = new TextDecoder().decode(bytes.subarray(head.bodyStart, head.bodyStart + length));
    this.#pending = bytes.slice(head.bodyStart + length);
    return { kind: 'message', message: { ...read, body } };
  }

  /** CRLFCRLF between messages asks whether the connection lives; a single line end is skipped (RFC 3261 §7.5). */
  #skipBlankLines(): SipStreamItem | undefined {
    let count = 0;
    let at = 0;
    for (; at < this.#pending.length; at++) {
      const byte = this.#pending[at];
      if (byte === LINE_FEED) count++;
      else if (byte !== CARRIAGE_RETURN) break;
    }
    if (at > 0) this.#pending = this.#pending.slice(at);
    return count >= 2 ? { kind: 'keep-alive' } : undefined;
  }
}

function broken(why: 'no SIP message' | 'no Content-Length' | 'too large'): SipStreamItem {
  return { kind: 'unreadable', why };
}

/** Where the first empty line is: the end of the text before it, and the beginning of what follows. */
function endOfHead(bytes: Uint8Array): { readonly textEnd: number; readonly bodyStart: number } | undefined {
  for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1)) {
    const textEnd = bytes[at - 1] === CARRIAGE_RETURN ? at - 1 : at;
    if (bytes[at + 1] === LINE_FEED) return { textEnd, bodyStart: at + 2 };
    if (bytes[at + 1] === CARRIAGE_RETURN && bytes[at + 2] === LINE_FEED) return { textEnd, bodyStart: at + 3 };
  }
  return undefined;
}
