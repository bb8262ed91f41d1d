import type { ChannelAnswer, StreamAnswer } from './answers.ts';

/** A number with its unit, or a dash where it is not known. */
export function quantity(value: number | null | undefined, decimals: number, unit = ''): string {
  if (value === null || value === undefined) return '-';
  return unit === '' ? value.toFixed(decimals) : `${value.toFixed(decimals)} ${unit}`;
}

/** `75` → `1:15`, `3675` → `1:01:15`. */
export function duration(seconds: number): string {
  const whole = Math.floor(seconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** `2026-11-30T12:44:26.000Z` → `2026-11-30 12:44:26` of this machine's time zone. */
export function localTime(iso: string): string {
  const date = new Date(iso);
  const shifted = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 19).replace('T', ' ');
}

/** `PJSIP/alice` → `alice`. */
export function shortEndpoint(endpoint: string): string {
  return printable(endpoint.slice(endpoint.indexOf('/') + 1));
}

/** Names come from the telephone network: a terminal must not take them for commands. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '?');
}

const CHARACTERS = new Intl.Segmenter();

/** Exactly so many characters: blanks behind, or cut with a tilde at the end. */
export function cell(text: string, width: number): string {
  const characters = Array.from(CHARACTERS.segment(text), ({ segment }) => segment);
  if (characters.length > width) return `${characters.slice(0, Math.max(0, width - 1)).join('')}~`;
  return text + ' '.repeat(width - characters.length);
}

/** Lines of at most `width` characters, broken at blanks; `indent` stands before each. */
export function wrapped(text: string, width: number, indent = ''): string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of printable(text).split(' ')) {
    if (line !== indent && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent;
    }
    line = line === indent ? `${indent}${word}` : `${line} ${word}`;
  }
  return [...lines, line];
}

export function streamOf(channel: ChannelAnswer, direction: 'rx' | 'tx'): StreamAnswer | undefined {
  return channel.streams.find((stream) => stream.direction === direction);
}

/** The channel that called first, then those that came later; without those that never carry audio of a phone. */
export function partiesOf(channels: readonly ChannelAnswer[]): readonly ChannelAnswer[] {
  return channels
    .filter(({ name }) => !name.startsWith('Local/'))
    .toSorted(
      (a, b) =>
        Number(b.uniqueid === b.linkedid) - Number(a.uniqueid === a.linkedid) ||
        a.started_at.localeCompare(b.started_at),
    );
}
