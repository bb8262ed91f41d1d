import type { CallWithChannels, HistoryReader } from '../model/ports.ts';
import type { HistoryFeed } from './history-feed.ts';

type Feed = Pick<HistoryFeed, 'storeAll' | 'storeCall' | 'storeChannel'>;

/**
 * The history as it is asked over REST. Of calls that are up it is told but seldom: what is known now of those that it is
 * asked about is stored first.
 */
export function currentHistory(history: HistoryReader, feed: Feed): HistoryReader {
  const withAll = (): HistoryReader => {
    feed.storeAll();
    return history;
  };
  const withChannel = (uniqueid: string): HistoryReader => {
    feed.storeChannel(uniqueid);
    return history;
  };
  const call = async (linkedid: string): Promise<CallWithChannels | null> => {
    feed.storeCall(linkedid);
    const found = await history.call(linkedid);
    // Another one was asked for by a name that only the history remembers: it was joined into this one.
    return found === null || found.linkedid === linkedid ? found : call(found.linkedid);
  };
  return {
    call,
    channel: (uniqueid) => withChannel(uniqueid).channel(uniqueid),
    segments: (uniqueid) => withChannel(uniqueid).segments(uniqueid),
    intervals: (uniqueid) => withChannel(uniqueid).intervals(uniqueid),
    calls: (...asked) => withAll().calls(...asked),
    endpoints: (...asked) => withAll().endpoints(...asked),
    trends: (...asked) => withAll().trends(...asked),
    summary: (...asked) => withAll().summary(...asked),
  };
}
