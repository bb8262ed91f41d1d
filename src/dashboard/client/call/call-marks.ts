import type { Channel, Segment } from '../rest/answers.ts';
import { t } from '../words/language.ts';
import { shortEndpoint } from '../words/words.ts';

/** A change in the course of a call: hold, another bridge, another stream or codec. */
export interface CallMark {
  readonly atMs: number;
  readonly sign: string;
  readonly words: string;
}

/** The same change in another direction or leg within this time is the same event. */
const SAME_EVENT_MS = 2000;

type Change = Exclude<Segment['opened_by'], 'start'>;

function sentence(change: Change, endpoints: readonly string[], codec: string | null): string {
  const who = endpoints.join(` ${t('and')} `);
  const sentences: Readonly<Record<Change, string>> = {
    hold: t('{who}: on hold', { who }),
    retrieve: t('{who}: taken back from hold', { who }),
    bridge: t('{who}: bridged anew (connected, transferred or parted)', { who }),
    ssrc: t('{who}: a new RTP stream', { who }),
    codec: t('{who}: codec {codec}', { who, codec: codec ?? t('changed') }),
  };
  return sentences[change];
}

/**
 * A call's changes in order, each with its own sign: A, B, C … Changes that only the end of the call causes (one party leaves
 * the bridge before the other) are left out. `endedAt` is null while the call is up.
 */
export function callMarks(channels: readonly Channel[], endedAt: string | null): readonly CallMark[] {
  const changes = channels
    .flatMap((channel) =>
      (channel.segments ?? []).map(({ opened_by: change, started_at: startedAt, codec }) => ({
        change,
        codec,
        atMs: Date.parse(startedAt),
        endpoint: shortEndpoint(channel.endpoint),
      })),
    )
    .toSorted((a, b) => a.atMs - b.atMs);
  const endMs = endedAt === null ? Number.POSITIVE_INFINITY : Date.parse(endedAt);
  const events: { change: Change; codec: string | null; atMs: number; endpoints: string[] }[] = [];
  for (const { change, codec, atMs, endpoint } of changes) {
    if (change === 'start' || atMs > endMs - SAME_EVENT_MS) continue;
    const same = events.find(
      (event) => event.change === change && event.codec === codec && atMs - event.atMs < SAME_EVENT_MS,
    );
    if (same === undefined) events.push({ change, codec, atMs, endpoints: [endpoint] });
    else if (!same.endpoints.includes(endpoint)) same.endpoints.push(endpoint);
  }
  return events.map(({ change, codec, atMs, endpoints }, index) => ({
    atMs,
    sign: signOf(index),
    words: sentence(change, endpoints, codec),
  }));
}

/** A … Z, A1 … Z1, A2 … */
function signOf(index: number): string {
  const letter = String.fromCodePoint(65 + (index % 26));
  return index < 26 ? letter : `${letter}${Math.floor(index / 26)}`;
}
