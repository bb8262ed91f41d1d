/**
 * The lines of the Asterisk Gateway Interface (AGI), as FastAGI speaks it over TCP: Asterisk sends `agi_name: value`
 * lines up to an empty one, then answers one line for each command. Lines end in LF.
 */

const LINE_FEED = 0x0a;

/** Longest line that is accepted from Asterisk, whose own command buffer has 8192 bytes. */
export const MAX_AGI_LINE_BYTES = 8192;

/** Lines that may come in one piece; Asterisk's environment has about 22. */
const MAX_LINES_AT_ONCE = 400;

/** Cuts bytes into lines in bounded memory and time. */
export class AgiLineReader {
  readonly #decoder = new TextDecoder('utf-8');
  readonly #maxLineBytes: number;
  #pending = '';

  constructor(maxLineBytes = MAX_AGI_LINE_BYTES) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** Takes the next bytes. Returns the lines that they complete, without line ends, or `overlong` when a line is too long. */
  push(chunk: Uint8Array): string[] | 'overlong' {
    const lines: string[] = [];
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
      const line = this.#pending + this.#decoder.decode(chunk.subarray(from, end));
      if (line.length > this.#maxLineBytes || lines.length >= MAX_LINES_AT_ONCE) return 'overlong';
      lines.push(line.endsWith('\r') ? line.slice(0, -1) : line);
      this.#pending = '';
      from = end + 1;
    }
    if (this.#pending.length + chunk.length - from > this.#maxLineBytes) return 'overlong';
    this.#pending += this.#decoder.decode(chunk.subarray(from), { stream: true });
    return lines;
  }
}

/** Reads a line of the environment, such as `agi_uniqueid: 1795171767.22`; undefined for any other line. */
export function readAgiVariable(line: string): { readonly name: string; readonly value: string } | undefined {
  const match = /^(agi_[a-z0-9_]{1,40}): ?(.*)$/.exec(line);
  return match?.[1] === undefined ? undefined : { name: match[1], value: match[2] ?? '' };
}

export interface AgiAnswer {
  /** 200 is success; 510 and 511 are refusals, 520 a usage error. */
  readonly code: number;
  readonly result: string;
  /** The text in parentheses after the result; undefined when there is none. */
  readonly value: string | undefined;
}

/**
 * Reads an answer such as `200 result=1 (4.31)`; undefined for any other line, such as the `HANGUP` that Asterisk sends once
 * between answers when the channel is gone.
 */
export function readAgiAnswer(line: string): AgiAnswer | undefined {
  const match = /^(\d{3})(?: result=(\S*))?(?: \((.*)\))?/.exec(line);
  if (match?.[1] === undefined) return undefined;
  return { code: Number(match[1]), result: match[2] ?? '', value: match[3] };
}

/** Thrown for a value that would break out of its quotes or its line. */
export class AgiValueError extends Error {
  override readonly name = 'AgiValueError';
}

/** `GET FULL VARIABLE`: evaluates an expression such as `${CHANNEL(rtcp,all)}`. Throws AgiValueError on a quote, a backslash or a control character. */
export function encodeGetFullVariable(expression: string): string {
  return `GET FULL VARIABLE ${quoted(expression)}\n`;
}

/** `SET VARIABLE`; `name` may be a function call such as `ARRAY(MES,CDR(mes))`. Throws AgiValueError on a quote, a backslash, a blank in the name or a control character. */
export function encodeSetVariable(name: string, value: string): string {
  if (/[\s"\\]/.test(name)) throw new AgiValueError('an AGI variable name holds a blank, a quote or a backslash');
  return `SET VARIABLE ${name} ${quoted(value)}\n`;
}

/** `STREAM FILE`: plays a sound and answers with the key that stopped it, 0 for none, -1 when the channel is gone. Throws AgiValueError. */
export function encodeStreamFile(sound: string, stopDigits: string): string {
  return `STREAM FILE ${quoted(sound)} ${quoted(stopDigits)}\n`;
}

/** `WAIT FOR DIGIT`: the same for the next key. */
export function encodeWaitForDigit(timeoutMs: number): string {
  return `WAIT FOR DIGIT ${timeoutMs}\n`;
}

function quoted(text: string): string {
  for (const character of text) {
    if (character < ' ' || character === '"' || character === '\\') {
      throw new AgiValueError('an AGI value holds a quote, a backslash or a control character');
    }
  }
  return `"${text}"`;
}
