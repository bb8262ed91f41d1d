import { inParts } from '../../api/gate/turns.ts';
import type { LiveView } from '../../model/ports.ts';
import type { ChannelRecord } from '../../model/record.ts';
import { retryAfterMs } from '../../units/retry-after.ts';
import { type GatewayAddress, postRows } from '../gateway-client.ts';
import { MOST_CHANNELS, writeLiveBatch } from './live-batch.ts';

const SHIP_EVERY_MS = 5000;
const ANSWER_WAIT_MS = 10_000;
/** The first pause after a failure; each further failure doubles it. */
const PAUSE_MS = 15_000;
const LONGEST_PAUSE_MS = 300_000;
/** A gateway of an older release has no such address. */
const NO_ADDRESS_PAUSE_MS = 600_000;
/** A PBX with at most so many channels up ships all of them in each batch. With more, each channel comes within ten batches. */
const USUAL_CHANNELS = 100;
const BATCHES_OF_A_ROUND = 10;

export interface LiveShipperOptions extends GatewayAddress {
  readonly live: Pick<LiveView, 'liveUniqueids' | 'liveChannel' | 'liveCount'>;
  /** Tests ship more often. */
  readonly everyMs?: number;
}

/**
 * Shows the fleet's gateway which channels are up: a small batch every few seconds. A lost batch is not sent again, because the
 * next one knows more. So no batch waits here, and none is written to the disk.
 */
export class LiveShipper {
  readonly #options: LiveShipperOptions;
  readonly #stopping = new AbortController();
  #round: string[] = [];
  readonly #ended = new Set<string>();
  #shipping: Promise<void> | null = null;
  #nextMs = 0;
  #pauseMs = 0;
  #lastMs = 0;
  #counters = { live_batches: 0, live_failed: 0 };

  constructor(options: LiveShipperOptions) {
    this.#options = options;
  }

  get counters(): Readonly<Record<string, number>> {
    return { ...this.#counters };
  }

  channelEnded({ uniqueid }: Pick<ChannelRecord, 'uniqueid'>): void {
    // Beyond the bound, the gateway notices by itself that a channel does not come any more.
    if (this.#ended.size < MOST_CHANNELS) this.#ended.add(uniqueid);
  }

  tick(nowMs: number): void {
    // A monotonic clock: the time of day may be set back.
    const timeMs = performance.now();
    if (this.#stopping.signal.aborted || this.#shipping !== null || timeMs < this.#nextMs) return;
    this.#nextMs = timeMs + (this.#options.everyMs ?? SHIP_EVERY_MS);
    this.#shipping = this.#ship(nowMs).finally(() => (this.#shipping = null));
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#shipping;
  }

  /** Never rejects. */
  async #ship(nowMs: number): Promise<void> {
    const ended = [...this.#ended];
    try {
      const batch = await this.#batch(nowMs, ended);
      const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(ANSWER_WAIT_MS)]);
      const response = await postRows(this.#options, '/v1/fleet/live', batch, signal);
      await response.arrayBuffer();
      if (!response.ok) {
        const askedMs = retryAfterMs(response.headers.get('retry-after'), LONGEST_PAUSE_MS);
        this.#pause(response.status === 404 ? NO_ADDRESS_PAUSE_MS : askedMs);
        return;
      }
      for (const uniqueid of ended) this.#ended.delete(uniqueid);
      this.#pauseMs = 0;
      this.#counters.live_batches++;
    } catch {
      // The shipper of ended calls logs that the gateway does not answer.
      this.#pause(0);
    }
  }

  async #batch(nowMs: number, ended: readonly string[]): Promise<string> {
    const { live } = this.#options;
    const up = live.liveCount;
    if (this.#round.length === 0) this.#round = live.liveUniqueids();
    const wanted = Math.min(MOST_CHANNELS, Math.max(USUAL_CHANNELS, Math.ceil(up / BATCHES_OF_A_ROUND)));
    const found = await inParts(this.#round.splice(0, wanted), (uniqueid) => live.liveChannel(uniqueid));
    const isOver = new Set(ended);
    // A batch replaces those of earlier moments, so its moment must rise even when the clock is set back.
    this.#lastMs = Math.max(Math.round(nowMs), this.#lastMs + 1);
    return writeLiveBatch({
      atMs: this.#lastMs,
      channelsUp: up,
      channels: found.filter((channel) => channel !== null && !isOver.has(channel.uniqueid)) as ChannelRecord[],
      ended,
    });
  }

  #pause(wantedMs: number): void {
    this.#counters.live_failed++;
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(PAUSE_MS, this.#pauseMs * 2));
    this.#nextMs = performance.now() + Math.max(wantedMs, this.#pauseMs);
    // After the pause the gateway shows these channels no longer anyway.
    this.#ended.clear();
  }
}
