import { serialize } from 'node:v8';

/** Copied to the other thread at a time, which holds its event loop for some two milliseconds. */
const PART_BYTES = 65_536;

/** The list in an answer, by which it may be long; undefined: it has none. */
export function listIn(answer: unknown): unknown[] | undefined {
  if (Array.isArray(answer)) return answer;
  if (typeof answer !== 'object' || answer === null) return undefined;
  return Object.values(answer).find((value) => Array.isArray(value));
}

/** The first part of an answer, and what is left of its list, in parts. */
export interface Parted {
  readonly first: unknown;
  readonly rest: readonly (readonly unknown[])[];
}

/** Parts an answer with a long list. How long one may be is judged by the first of its items. */
export function parted(answer: unknown): Parted {
  const list = listIn(answer);
  if (list === undefined || list.length < 2) return { first: answer, rest: [] };
  const atOnce = Math.max(1, Math.floor(PART_BYTES / serialize(list[0]).length));
  if (list.length <= atOnce) return { first: answer, rest: [] };
  const head = list.slice(0, atOnce);
  const rest: unknown[][] = [];
  for (let start = atOnce; start < list.length; start += atOnce) rest.push(list.slice(start, start + atOnce));
  if (Array.isArray(answer)) return { first: head, rest };
  const named = Object.entries(answer as object).map(([name, value]) => [name, value === list ? head : value]);
  return { first: Object.fromEntries(named), rest };
}
