import type { Channel, Segment } from '../rest/answers.ts';
import { t } from '../words/language.ts';
import { shortEndpoint } from '../words/words.ts';

/** A change in the course of a call: hold, another bridge, another stream or codec. */
export interface CallChange {
  readonly atMs: number;
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
 * A call's changes in order. Changes that only the end of the call causes (one party leaves the bridge before the other) are left
 * out. `endedAt` is null while the call is up.
 */
export function callChanges(channels: readonly Channel[], endedAt: string | null): readonly CallChange[] {
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
  return events.map(({ change, codec, atMs, endpoints }) => ({ atMs, words: sentence(change, endpoints, codec) }));
}
