import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PbxEvent } from '../../src/model/event.ts';
import { AmiParser } from '../../src/wire/ami/ami.ts';
import { readPbxEvent } from '../../src/wire/ami/ami-event.ts';
import { RTCP_EVENT } from '../../src/wire/ami/ami-rtcp.ts';
import { messagesIn } from '../lab/ami-messages.ts';
import { readTimedText, type TimedText } from '../lab/timed-text.ts';
import { Script } from './calls/script.ts';

/** A text that a manager says piece by piece, as events of the sidecar's own parser at the times at which they came. */
export function eventsOf(pieces: readonly TimedText[]): { readonly events: PbxEvent[]; readonly malformed: number } {
  const parser = new AmiParser(RTCP_EVENT);
  const startedAtMs = 1_700_000_000_000;
  const events: PbxEvent[] = [];
  let malformed = 0;
  for (const { atMs, text } of pieces) {
    for (const message of messagesIn(text, parser)) {
      const event = readPbxEvent(message, startedAtMs + atMs);
      if (event === 'malformed') malformed++;
      else if (event !== undefined) events.push(event);
    }
  }
  return { events, malformed: malformed + parser.counters.malformed };
}

/** One of the cases of `test/golden/field`, played through parser and switchboard in no time. */
export function playCase(name: string): Script {
  const text = readFileSync(join(import.meta.dirname, '../golden/field', `${name}.ami`), 'latin1');
  return playPieces(readTimedText(text));
}

/** What a manager says piece by piece, played through parser and switchboard in no time. */
export function playPieces(pieces: readonly TimedText[]): Script {
  const script = new Script();
  for (const event of eventsOf(pieces).events) {
    script.wait((event.atMs - script.atMs) / 1000);
    script.board.handle(event);
  }
  return script;
}
