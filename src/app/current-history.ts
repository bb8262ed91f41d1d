import { inParts } from '../api/gate/turns.ts';
import { inStreamClock } from '../history/read/queries.ts';
import type { CallWithChannels, CurrentCalls, HistoryReader } from '../model/ports.ts';
import type { SegmentRecord } from '../model/record.ts';

/**
 * The history for REST: stored rows, with the present state in place of those of live calls, which may be seconds old. Lists
 * are filtered and sorted by the stored rows.
 */
export function currentHistory(history: HistoryReader, current: CurrentCalls): HistoryReader {
  const callNow = (stored: CallWithChannels): CallWithChannels => {
    const now = current.callNow(stored.linkedid);
    if (now === null) return stored;
    const known = new Set(now.channels.map(({ uniqueid }) => uniqueid));
    // Leave out channels that have moved to another call.
    const others = stored.channels.filter(
      ({ uniqueid }) => !known.has(uniqueid) && current.channelNow(uniqueid) === null,
    );
    const channels = [...others, ...now.channels].toSorted(
      (one, other) => one.startedAtMs - other.startedAtMs || (one.uniqueid < other.uniqueid ? -1 : 1),
    );
    return { ...now, channels };
  };

  return {
    async call(linkedid) {
      const stored = await history.call(linkedid);
      return stored === null ? current.callNow(linkedid) : callNow(stored);
    },
    async channel(uniqueid) {
      return current.channelNow(uniqueid) ?? history.channel(uniqueid);
    },
    async segments(uniqueid) {
      const now = new Map(current.segmentsNow(uniqueid).map((segment) => [keyOf(segment), segment]));
      const stored = await history.segments(uniqueid);
      for (const segment of stored) if (!now.has(keyOf(segment))) now.set(keyOf(segment), segment);
      return [...now.values()].toSorted(
        (one, other) => one.direction.localeCompare(other.direction) || one.segmentNumber - other.segmentNumber,
      );
    },
    async intervals(uniqueid) {
      const stored = await history.intervals(uniqueid);
      const now = current.channelNow(uniqueid);
      if (now === null) return stored;
      // A channel that is up for days has a hundred thousand.
      return (await inParts(slicesOf(stored ?? []), (slice) => inStreamClock(slice, now.streams))).flat();
    },
    async calls(...asked) {
      const page = await history.calls(...asked);
      // Live calls are computed anew. With hundreds of them a hang-up must not wait for all.
      return { ...page, calls: await inParts(page.calls, callNow) };
    },
    endpoints: (...asked) => history.endpoints(...asked),
    ...(history.groups === undefined ? {} : { groups: history.groups.bind(history) }),
    trends: (...asked) => history.trends(...asked),
    summary: (...asked) => history.summary(...asked),
  };
}

const SLICE = 500;

function slicesOf<Item>(items: readonly Item[]): Item[][] {
  const starts = Array.from({ length: Math.ceil(items.length / SLICE) }, (_, index) => index * SLICE);
  return starts.map((start) => items.slice(start, start + SLICE));
}

function keyOf({ direction, segmentNumber }: SegmentRecord): string {
  return `${direction} ${segmentNumber}`;
}
