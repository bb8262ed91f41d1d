import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PbxEvent } from '../../src/model/event.ts';
import { AmiParser } from '../../src/wire/ami/ami.ts';
import { readPbxEvent } from '../../src/wire/ami/ami-event.ts';
import { RTCP_EVENT } from '../../src/wire/ami/ami-rtcp.ts';
import { messagesIn } from '../lab/ami-messages.ts';

const FOLDER = join(import.meta.dirname, '../golden/ami');

interface GoldenFacts {
  readonly asterisk_version: string;
  readonly rtcp_interval_ms: number;
  readonly relay: Readonly<Record<string, { readonly seen: number; readonly passed: number; readonly lost: number }>>;
  readonly message_arrivals_ms: readonly number[];
}

/** A transcript of a real Asterisk, as events at the times at which they came. */
export interface Golden {
  readonly name: string;
  readonly facts: GoldenFacts;
  readonly events: readonly PbxEvent[];
  readonly malformed: number;
}

export function goldenNames(): string[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.txt'))
    .map((file) => file.slice(0, -'.txt'.length))
    .sort();
}

export function readGolden(name: string): Golden {
  const facts = JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) as GoldenFacts;
  const text = readFileSync(join(FOLDER, `${name}.txt`), 'utf8');
  const parser = new AmiParser(RTCP_EVENT);
  const startedAtMs = 1_700_000_000_000;
  const events: PbxEvent[] = [];
  let { malformed } = parser.counters;
  for (const [index, message] of messagesIn(text, parser).entries()) {
    const event = readPbxEvent(message, startedAtMs + (facts.message_arrivals_ms[index] ?? 0));
    if (event === 'malformed') malformed++;
    else if (event !== undefined) events.push(event);
  }
  return { name, facts, events, malformed: malformed + parser.counters.malformed + parser.counters.oversized };
}
