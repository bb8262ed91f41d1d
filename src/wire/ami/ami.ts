/**
 * The bytes of Asterisk's Manager Interface (AMI) as messages, and actions as bytes.
 *
 * A message is a block of `Name: value` lines, each ended by CR LF, the block ended by an empty line.
 */

const LINE_END = '\r\n';
const BLOCK_END = '\r\n\r\n';

/** A longer block is dropped, characters. The longest that Asterisk sends is `ListCommands`, about 25,000. */
export const MAX_MESSAGE_CHARACTERS = 65_536;

/** `CR LF Name:` by header name. Bounded: only our own code names headers. */
const needles = new Map<string, string>();

function needleOf(header: string): string {
  let needle = needles.get(header);
  if (needle === undefined) needles.set(header, (needle = `${LINE_END}${header}:`));
  return needle;
}

/** Values of headers, each at its place in a layout; undefined where the event lacks the header. */
export type HeaderValues = readonly (string | undefined)[];

/** Reads events that come often and that Asterisk always prints with the same headers. */
export interface EventLayout {
  /**
   * Reads the event that begins at `from`, which is the CR LF before its first line. Null when no such event begins there,
   * when its headers are others, or when its end has not arrived.
   */
  matchAt(text: string, from: number): EventMatch | null;
}
export type EventMatch = readonly [block: string, event: string | undefined, ...HeaderValues];

export class AmiMessage {
  readonly #text: string;
  /** End of the line that was found last. Headers are mostly read in Asterisk's order, so the next search begins here. */
  #foundUntil = 0;
  readonly #layout: EventLayout | undefined;
  readonly #match: EventMatch | undefined;
  /** The event's name; undefined in a response. */
  readonly event: string | undefined;

  /** `text` has CR LF before each line and none after the last. `match` is what `layout` has already read. */
  constructor(text: string, layout?: EventLayout, match?: EventMatch) {
    this.#text = text;
    this.#layout = layout;
    this.#match = match;
    this.event = match === undefined ? this.get('Event') : match[1];
  }

  /** What this layout read; undefined when another layout or none recognised the message. */
  matchOf(layout: EventLayout): EventMatch | undefined {
    return layout === this.#layout ? this.#match : undefined;
  }

  /**
   * The value of a header by its exact name; undefined when the message has no such header. If it has several, this is the
   * first, as long as headers are asked for in Asterisk's order.
   * It searches on demand: most headers are never asked for, so a search is cheaper than a map of all.
   */
  get(header: string): string | undefined {
    const needle = needleOf(header);
    const at = this.#find(needle);
    if (at < 0) return undefined;
    const afterColon = at + needle.length;
    const from = this.#text.charCodeAt(afterColon) === 0x20 ? afterColon + 1 : afterColon;
    const lineEnd = this.#text.indexOf(LINE_END, afterColon);
    this.#foundUntil = lineEnd < 0 ? this.#text.length : lineEnd;
    return this.#text.slice(from, this.#foundUntil);
  }

  /** Runs a pattern over the text, which has CR LF before each line and none after the last. */
  match(pattern: RegExp): RegExpExecArray | null {
    return pattern.exec(this.#text);
  }

  #find(needle: string): number {
    const at = this.#text.indexOf(needle, this.#foundUntil);
    return at < 0 && this.#foundUntil > 0 ? this.#text.slice(0, this.#foundUntil).indexOf(needle) : at;
  }
}

type OnMessage = (message: AmiMessage) => void;

export interface AmiParserCounters {
  messages: number;
  /** Blocks that are neither an event nor a response. */
  malformed: number;
  /** Blocks dropped because they were too long. */
  oversized: number;
}

/** Cuts a stream of text into messages in bounded memory, and resynchronises after garbage. */
export class AmiParser {
  readonly counters: AmiParserCounters = { messages: 0, malformed: 0, oversized: 0 };
  readonly #layout: EventLayout | undefined;
  /** The block that has not ended yet. It begins with CR LF, as if a line had ended before it. */
  #pending = LINE_END;
  #searchedTo = 0;
  #discarding = false;

  /** `layout` reads its events in place, which costs less than a search for their end. */
  constructor(layout?: EventLayout) {
    this.#layout = layout;
  }

  /**
   * Takes the next text and calls `onMessage` for each message that it completes, in order. `onMessage` must not throw.
   * There is no list of messages: it would outlive the young generation and cost the garbage collector.
   */
  push(next: string, onMessage: OnMessage): void {
    const firstEnd = next.indexOf(BLOCK_END);
    // Join only as much as completes the open block: joining all of it would copy every byte once more.
    const open = this.#pending + (firstEnd < 0 ? next : next.slice(0, firstEnd + BLOCK_END.length));
    const openFrom = this.#cut(open, 0, this.#searchedTo, onMessage);
    const nextFrom = firstEnd + LINE_END.length;
    if (firstEnd < 0) this.#keep(open, openFrom);
    else this.#keep(next, this.#cut(next, nextFrom, nextFrom, onMessage));
  }

  /** Takes all whole blocks from `from` on, none of which ends before `searchFrom`. Returns where the rest begins. */
  #cut(text: string, from: number, searchFrom: number, onMessage: OnMessage): number {
    // Do not read an open block again with each piece of it.
    if (text.indexOf(BLOCK_END, searchFrom) < 0) return from;
    let rest = from;
    for (;;) {
      const end = this.#takeRecognised(text, rest, onMessage) ?? this.#takeNext(text, rest, onMessage);
      if (end === undefined) return rest;
      // The second CR LF of this end is the one before the next block's first line.
      rest = end + LINE_END.length;
    }
  }

  /** Takes the block at `from` if the layout recognises it. Returns its end. */
  #takeRecognised(text: string, from: number, onMessage: OnMessage): number | undefined {
    if (this.#layout === undefined || this.#discarding) return undefined;
    const match = this.#layout.matchAt(text, from);
    if (match === null || match[0].length > MAX_MESSAGE_CHARACTERS) return undefined;
    this.counters.messages++;
    onMessage(new AmiMessage(match[0], this.#layout, match));
    return from + match[0].length;
  }

  /** Takes or drops the block at `from`. Returns its end; undefined when the end has not arrived. */
  #takeNext(text: string, from: number, onMessage: OnMessage): number | undefined {
    const end = text.indexOf(BLOCK_END, from);
    if (end < 0) return undefined;
    if (this.#discarding) this.#discarding = false;
    else if (end - from > MAX_MESSAGE_CHARACTERS) this.counters.oversized++;
    else this.#take(text.slice(from, end), onMessage);
    return end;
  }

  #take(block: string, onMessage: OnMessage): void {
    if (block.length <= LINE_END.length) return;
    const message = new AmiMessage(block);
    if (message.event === undefined && message.get('Response') === undefined) {
      this.counters.malformed++;
      return;
    }
    this.counters.messages++;
    onMessage(message);
  }

  #keep(text: string, from: number): void {
    if (text.length - from > MAX_MESSAGE_CHARACTERS) {
      if (!this.#discarding) this.counters.oversized++;
      this.#discarding = true;
    }
    // While discarding, keep only what may be the beginning of the block's end.
    const keepFrom = this.#discarding ? Math.max(from, text.length - BLOCK_END.length + 1) : from;
    this.#pending = text.slice(keepFrom);
    this.#searchedTo = Math.max(0, this.#pending.length - BLOCK_END.length + 1);
  }
}

/** Thrown for a value that would break out of its line. */
export class AmiValueError extends Error {
  override readonly name = 'AmiValueError';
}

/** Whether a text holds CR, LF or NUL: Asterisk would read the rest as another header or action. */
function breaksOut(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0x0d || code === 0x0a || code === 0x00) return true;
  }
  return false;
}

function refusalOf(what: string): AmiValueError {
  return new AmiValueError(`${what} holds a line break or a NUL and cannot be sent to Asterisk; remove it`);
}

/** An action as text for the wire. Throws AmiValueError on CR, LF or NUL in a name or a value. */
export function encodeAmiAction(fields: Iterable<readonly [string, string]>): string {
  let text = '';
  for (const [name, value] of fields) {
    if (breaksOut(name)) throw refusalOf('an AMI header name');
    if (breaksOut(value)) throw refusalOf(`the AMI header ${name}`);
    text += `${name}: ${value}${LINE_END}`;
  }
  return text + LINE_END;
}
