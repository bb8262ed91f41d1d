/**
 * The bytes of Asterisk's Manager Interface (AMI) as messages, and actions as bytes.
 *
 * A message is a block of `Name: value` lines, each ended by CR LF, the block ended by an empty line.
 */

const LINE_END = '\r\n';
const BLOCK_END = '\r\n\r\n';

/** A block longer than this many characters is given up; the longest that Asterisk sends is `ListCommands`, about 25,000. */
export const MAX_MESSAGE_CHARACTERS = 65_536;

/** `CR LF Name:` by name; the names are those that our code asks for. */
const needles = new Map<string, string>();

function needleOf(header: string): string {
  let needle = needles.get(header);
  if (needle === undefined) needles.set(header, (needle = `${LINE_END}${header}:`));
  return needle;
}

/** Values of headers, each at its place; undefined is not there. */
export type HeaderValues = readonly (string | undefined)[];

/** Events that come often and are always printed alike. */
export interface EventLayout {
  /**
   * Reads such an event where it stands in a text, from the CR LF before its first line: all of it, its name, and the
   * values of its headers. Null when none begins there, or it is printed otherwise, or its end has not come yet.
   */
  matchAt(text: string, from: number): EventMatch | null;
}
export type EventMatch = readonly [block: string, event: string | undefined, ...HeaderValues];

export class AmiMessage {
  readonly #text: string;
  /** Where the line of the last header that was found ended: who reads headers in the order of their printing finds the next one there. */
  #foundUntil = 0;
  readonly #layout: EventLayout | undefined;
  readonly #match: EventMatch | undefined;
  /** The event's name; undefined in an answer. */
  readonly event: string | undefined;

  /** `text` is the block, with CR LF before each line and none after the last; `match` what a layout has read of it already. */
  constructor(text: string, layout?: EventLayout, match?: EventMatch) {
    this.#text = text;
    this.#layout = layout;
    this.#match = match;
    this.event = match === undefined ? this.get('Event') : match[1];
  }

  /** What was read of it when it was recognised by this layout; undefined when it was not. */
  matchOf(layout: EventLayout): EventMatch | undefined {
    return layout === this.#layout ? this.#match : undefined;
  }

  /**
   * The value of a header by its exact name; undefined when there is none. Of several it is the first, when they are asked
   * for in the order of their printing.
   * Looked up on demand: most of an event's headers are never asked for, and a search is cheaper than a map of all.
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

  /** What the pattern finds in the block's text, where CR LF stands before each line and none after the last. */
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
  /** Blocks given up because they did not end. */
  oversized: number;
}

/** Cuts a stream of text into messages, in bounded memory, and finds its way back after garbage. */
export class AmiParser {
  readonly counters: AmiParserCounters = { messages: 0, malformed: 0, oversized: 0 };
  readonly #layout: EventLayout | undefined;
  /** What has no end yet. Begins with CR LF, as if a line had ended before it. */
  #pending = LINE_END;
  #searchedTo = 0;
  #discarding = false;

  /** `layout`: events that are read where they stand, which takes less than to look for their end. */
  constructor(layout?: EventLayout) {
    this.#layout = layout;
  }

  /**
   * Takes the text that comes next; hands on the messages that are complete with it, in order. `onMessage` must not throw.
   * It gets one at a time: a list of them would live while the first are worked on, and cost the collector.
   */
  push(next: string, onMessage: OnMessage): void {
    const firstEnd = next.indexOf(BLOCK_END);
    // Behind what is open comes only what completes it: to join all of it would copy each byte once more.
    const open = this.#pending + (firstEnd < 0 ? next : next.slice(0, firstEnd + BLOCK_END.length));
    const openFrom = this.#cut(open, 0, this.#searchedTo, onMessage);
    const nextFrom = firstEnd + LINE_END.length;
    if (firstEnd < 0) this.#keep(open, openFrom);
    else this.#keep(next, this.#cut(next, nextFrom, nextFrom, onMessage));
  }

  /** Cuts off all whole blocks of a text from `from` on, none of which ends before `searchFrom`; returns where the rest begins. */
  #cut(text: string, from: number, searchFrom: number, onMessage: OnMessage): number {
    // What has no end yet is not read again with each piece of it that comes.
    if (text.indexOf(BLOCK_END, searchFrom) < 0) return from;
    let rest = from;
    for (;;) {
      const end = this.#takeRecognised(text, rest, onMessage) ?? this.#takeNext(text, rest, onMessage);
      if (end === undefined) return rest;
      // The second CR LF of the end stands before the first line of the next block.
      rest = end + LINE_END.length;
    }
  }

  /** Takes the block that begins at `from` if the layout knows it; returns where it ends. */
  #takeRecognised(text: string, from: number, onMessage: OnMessage): number | undefined {
    if (this.#layout === undefined || this.#discarding) return undefined;
    const match = this.#layout.matchAt(text, from);
    if (match === null || match[0].length > MAX_MESSAGE_CHARACTERS) return undefined;
    this.counters.messages++;
    onMessage(new AmiMessage(match[0], this.#layout, match));
    return from + match[0].length;
  }

  /** Takes the block that begins at `from`, or gives it up; returns where it ends. */
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
    // While discarding, only the last characters can still be the beginning of a block's end.
    const keepFrom = this.#discarding ? Math.max(from, text.length - BLOCK_END.length + 1) : from;
    this.#pending = text.slice(keepFrom);
    this.#searchedTo = Math.max(0, this.#pending.length - BLOCK_END.length + 1);
  }
}

/** A value that would break out of its line. */
export class AmiValueError extends Error {
  override readonly name = 'AmiValueError';
}

/** Whether it holds CR, LF or NUL: Asterisk would read what follows as a header or action of its own. */
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
