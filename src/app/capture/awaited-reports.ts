import type { PbxEvent } from '../../model/event.ts';

/**
 * How long a report waits. AMI tells of a packet before or after tcpdump does, and the difference is longer only where the
 * machine has no time.
 */
const LONGEST_WAIT_MS = 300;
/** AMI's event comes at most this much after the packet. No far end reports more often. */
const SAME_PACKET_MS = 400;

type RtcpEvent = Extract<PbxEvent, { type: 'rtcp' }>;

export interface AwaitedReportsOptions {
  /** Whether a report of a channel's far end was captured at that time or later. */
  readonly isCaptured: (uniqueid: string, sinceMs: number) => boolean;
}

/**
 * AMI shows only the first block of a far end's report. A report with several blocks waits here until its packet is captured:
 * otherwise its other blocks would be taken from the report before. Later events of its channel wait behind it.
 */
export class AwaitedReports {
  readonly #isCaptured: AwaitedReportsOptions['isCaptured'];
  /** By channel. */
  readonly #waiting = new Map<string, RtcpEvent>();

  constructor({ isCaptured }: AwaitedReportsOptions) {
    this.#isCaptured = isCaptured;
  }

  /** The events to take now that this one has come, in their order. */
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

  /** The events that have waited long enough. Call it several times a second. */
  due(nowMs: number): readonly PbxEvent[] {
    if (this.#waiting.size === 0) return [];
    const due = [...this.#waiting.values()].filter(
      // The difference counts in both directions, so that a clock that was set delays nothing.
      (event) => Math.abs(nowMs - event.atMs) >= LONGEST_WAIT_MS || !this.#isToWait(event),
    );
    return due.flatMap(({ channel }) => this.release(channel.uniqueid));
  }

  /** The event of a channel that waits no longer. */
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
