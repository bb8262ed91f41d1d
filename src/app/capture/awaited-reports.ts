import type { PbxEvent } from '../../model/event.ts';

/** AMI tells of a packet before or after tcpdump does; it takes longer only where the machine has no time. */
const LONGEST_WAIT_MS = 300;
/** AMI's event is the later one by no more than this; no far end reports more often. */
const SAME_PACKET_MS = 400;

type RtcpEvent = Extract<PbxEvent, { type: 'rtcp' }>;

export interface AwaitedReportsOptions {
  /** Whether a report of a channel's far end was captured at that time or later. */
  readonly isCaptured: (uniqueid: string, sinceMs: number) => boolean;
}

/**
 * A far end's report of more blocks than the one that AMI shows waits here until its packet is captured. Otherwise the blocks of the
 * report before would be taken for those of this one. What is told of its channel later follows it.
 */
export class AwaitedReports {
  readonly #isCaptured: AwaitedReportsOptions['isCaptured'];
  /** By channel. */
  readonly #waiting = new Map<string, RtcpEvent>();

  constructor({ isCaptured }: AwaitedReportsOptions) {
    this.#isCaptured = isCaptured;
  }

  /** What is to be taken now that this has happened, in its order. */
  inOrder(event: PbxEvent): readonly PbxEvent[] {
    if (event.type === 'resync') return [...this.releaseAll(), event];
    const { uniqueid } = 'channel' in event ? event.channel : { uniqueid: undefined };
    // Our own reports are of another moment, and often come 30 ms later.
    const isOurs = event.type === 'rtcp' && event.report.reporter === 'local';
    const before = uniqueid === undefined || isOurs ? [] : this.release(uniqueid);
    if (event.type !== 'rtcp' || isOurs || !this.#isToWait(event)) return [...before, event];
    this.#waiting.set(event.channel.uniqueid, event);
    return before;
  }

  /** Those that have waited long enough; to be called several times a second. */
  due(nowMs: number): readonly PbxEvent[] {
    if (this.#waiting.size === 0) return [];
    const due = [...this.#waiting.values()].filter(
      // A clock that was set holds nothing up.
      (event) => Math.abs(nowMs - event.atMs) >= LONGEST_WAIT_MS || !this.#isToWait(event),
    );
    return due.flatMap(({ channel }) => this.release(channel.uniqueid));
  }

  /** The one of a channel, which waits no longer. */
  release(uniqueid: string): readonly PbxEvent[] {
    const event = this.#waiting.get(uniqueid);
    this.#waiting.delete(uniqueid);
    return event === undefined ? [] : [event];
  }

  releaseAll(): readonly PbxEvent[] {
    return [...this.#waiting.keys()].flatMap((uniqueid) => this.release(uniqueid));
  }

  #isToWait({ report, channel, atMs }: RtcpEvent): boolean {
    return report.hasMoreBlocks === true && !this.#isCaptured(channel.uniqueid, atMs - SAME_PACKET_MS);
  }
}
