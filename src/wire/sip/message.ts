/**
 * SIP messages (RFC 3261 §7) as far as a server needs them that takes reports and has no dialogs: the start line, the
 * header fields and the body.
 */

/** The largest message taken: a report has under 2 KB, and a UDP payload cannot have more. */
export const MAX_SIP_MESSAGE_BYTES = 65_535;
const MAX_HEADERS = 200;

/** Compact names (RFC 3261 §7.3.3, RFC 6665 §8.2) → their long ones. */
const LONG_NAMES: ReadonlyMap<string, string> = new Map([
  ['c', 'content-type'],
  ['e', 'content-encoding'],
  ['f', 'from'],
  ['i', 'call-id'],
  ['k', 'supported'],
  ['l', 'content-length'],
  ['m', 'contact'],
  ['o', 'event'],
  ['s', 'subject'],
  ['t', 'to'],
  ['u', 'allow-events'],
  ['v', 'via'],
]);

/** A header field as it was written, its continued lines joined. */
export interface SipHeader {
  /** Long and in lower case, whatever was written. */
  readonly name: string;
  readonly value: string;
}

export interface SipHead {
  readonly start:
    | { readonly kind: 'request'; readonly method: string; readonly uri: string }
    | { readonly kind: 'response'; readonly status: number };
  readonly headers: readonly SipHeader[];
}

export interface SipMessage extends SipHead {
  readonly body: string;
}

const REQUEST_LINE = /^([A-Za-z!%*_+`'~.-]{1,32}) (\S{1,2000}) SIP\/2\.0$/;
const STATUS_LINE = /^SIP\/2\.0 (\d{3})(?: .*)?$/;
const HEADER_LINE = /^([A-Za-z0-9!%*_+`'~.-]{1,64})[ \t]*:[ \t]*(.*?)[ \t]*$/;

/**
 * Reads the part of a message before its body. `text` has no empty line at its end; lines end in CRLF or LF.
 * Undefined when it is no SIP message.
 */
export function readSipHead(text: string): SipHead | undefined {
  const [startLine = '', ...lines] = text.split(/\r?\n/);
  const start = readStartLine(startLine);
  if (start === undefined || lines.length > MAX_HEADERS) return undefined;
  const headers: { name: string; value: string }[] = [];
  for (const line of lines) {
    const last = headers.at(-1);
    if (/^[ \t]/.test(line) && last !== undefined) {
      last.value += ` ${line.trim()}`;
      continue;
    }
    const [, name, value] = HEADER_LINE.exec(line) ?? [];
    if (name === undefined || value === undefined) return undefined;
    const lower = name.toLowerCase();
    headers.push({ name: LONG_NAMES.get(lower) ?? lower, value });
  }
  return { start, headers };
}

function readStartLine(line: string): SipHead['start'] | undefined {
  const [, method, uri] = REQUEST_LINE.exec(line) ?? [];
  if (method !== undefined && uri !== undefined) return { kind: 'request', method, uri };
  const status = STATUS_LINE.exec(line)?.[1];
  return status === undefined ? undefined : { kind: 'response', status: Number(status) };
}

/** The first header field of that long, lower-case name; undefined when there is none. */
export function sipHeader({ headers }: Pick<SipHead, 'headers'>, name: string): string | undefined {
  return headers.find((header) => header.name === name)?.value;
}

/** `Content-Length`; undefined when it is absent, null when it is no number. */
export function contentLength(head: SipHead): number | undefined | null {
  const value = sipHeader(head, 'content-length');
  if (value === undefined) return undefined;
  return /^\d{1,9}$/.test(value) ? Number(value) : null;
}

const END_OF_HEAD = /\r?\n\r?\n/;

/**
 * Reads a message that fills a datagram (RFC 3261 §18.3): without Content-Length the body is the rest, with it what is
 * behind is left out. Undefined when it is no SIP message; `cut` when the body is shorter than Content-Length says.
 */
export function readSipDatagram(text: string): SipMessage | 'cut' | undefined {
  const end = END_OF_HEAD.exec(text);
  const head = readSipHead(end === null ? text.replace(/\r?\n$/, '') : text.slice(0, end.index));
  if (head === undefined) return undefined;
  const body = end === null ? '' : text.slice(end.index + end[0].length);
  const length = contentLength(head);
  if (length === null) return undefined;
  if (length === undefined) return { ...head, body };
  const bytes = new TextEncoder().encode(body);
  if (bytes.length < length) return 'cut';
  return { ...head, body: bytes.length === length ? body : new TextDecoder().decode(bytes.subarray(0, length)) };
}
