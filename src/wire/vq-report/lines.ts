/** The shape of a report's text (RFC 6035 §4.6): `Name: value` lines, some of whose values are `KEY=value` lists. */

/** Far more than any phone sends; what is behind it is left out. */
const MAX_LINES = 200;
const MAX_LINE_LENGTH = 2000;

export interface ReportLine {
  /** The name as this reader knows it: in lower case, without blanks. */
  readonly name: string;
  readonly value: string;
}

/** Cuts a report's text into its lines. The first has the kind of report; a line without a colon is a name without a value. */
export function reportLines(text: string): ReportLine[] {
  const lines: ReportLine[] = [];
  for (const line of text.split(/\r?\n/, MAX_LINES)) {
    const trimmed = line.slice(0, MAX_LINE_LENGTH).trim();
    if (trimmed === '') continue;
    const colon = trimmed.indexOf(':');
    const name = (colon < 0 ? trimmed : trimmed.slice(0, colon)).trim().toLowerCase();
    lines.push({ name, value: colon < 0 ? '' : trimmed.slice(colon + 1).trim() });
  }
  return lines;
}

/** `IP= 192.0.2.1 PORT=2226`, `FMTP="useinbandfec=1"`: a value may be quoted, and may follow blanks. */
const PAIR = /([A-Za-z][A-Za-z0-9_-]{0,31})\s*=\s*(?:"([^"]*)"|([^\s=]*)(?=\s|$)|)/g;

/** The list's keys, in upper case, with their values. Of two equal keys the first counts. */
export function reportPairs(value: string): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  for (const [, key = '', quoted, bare] of value.matchAll(PAIR)) {
    const name = key.toUpperCase();
    if (!pairs.has(name)) pairs.set(name, quoted ?? bare ?? '');
  }
  return pairs;
}
