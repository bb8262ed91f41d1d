import type { Channel, Segment } from './answers.ts';
import { shortEndpoint } from './words.ts';

/** A change in the course of a call: hold, another bridge, another stream or codec. */
export interface CallMark {
  readonly atMs: number;
  readonly sign: string;
  readonly words: string;
}

/** What begins so soon after the same thing elsewhere in the call is the same event. */
const SAME_EVENT_MS = 2000;

function words({ opened_by: cause, codec }: Segment, endpoint: string): string | undefined {
  if (cause === 'start') return undefined;
  const sentences: Readonly<Record<typeof cause, string>> = {
    hold: `${endpoint}: on hold`,
    retrieve: `${endpoint}: taken back from hold`,
    bridge: 'bridged anew (connected, transferred or parked)',
    ssrc: `${endpoint}: a new RTP stream`,
    codec: `${endpoint}: codec ${codec ?? 'changed'}`,
  };
  return sentences[cause];
}

/** All of a call's changes in their order, each with a sign of its own: A, B, C … */
export function callMarks(channels: readonly Channel[]): readonly CallMark[] {
  const found = channels
    .flatMap((channel) =>
      (channel.segments ?? []).map((segment) => ({
        atMs: Date.parse(segment.started_at),
        words: words(segment, shortEndpoint(channel.endpoint)),
      })),
    )
    .toSorted((a, b) => a.atMs - b.atMs);
  const marks: CallMark[] = [];
  for (const { atMs, words: sentence } of found) {
    if (sentence === undefined) continue;
    const isKnown = marks.some((mark) => mark.words === sentence && atMs - mark.atMs < SAME_EVENT_MS);
    if (!isKnown) marks.push({ atMs, sign: signOf(marks.length), words: sentence });
  }
  return marks;
}

/** A … Z, A1 … Z1, A2 … */
function signOf(index: number): string {
  const letter = String.fromCodePoint(65 + (index % 26));
  return index < 26 ? letter : `${letter}${Math.floor(index / 26)}`;
}
