import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { inParts } from '../../api/gate/turns.ts';
import type { LiveView } from '../../model/ports.ts';
import type { ChannelRecord } from '../../model/record.ts';
import { MOST_CHANNELS, writeLiveBatch } from './live-batch.ts';

const SHIP_EVERY_MS = 5000;
const ANSWER_WAIT_MS = 10_000;
/** Where the gateway takes nothing, or asks for a pause. */
const PAUSE_MS = 15_000;
const LONGEST_PAUSE_MS = 300_000;
/** A gateway of an older release has no such address. */
const NO_ADDRESS_PAUSE_MS = 600_000;
/** A PBX with as many channels up ships all of them each time. Of more each comes again within ten batches. */
const USUAL_CHANNELS = 100;
const BATCHES_OF_A_ROUND = 10;

const zip = promisify(gzip);

export interface LiveShipperOptions {
  readonly url: string;
  readonly token: string;
  readonly site: string | null;
  readonly live: Pick<LiveView, 'liveUniqueids' | 'liveChannel' | 'liveCount'>;
  /** For tests: another span than five seconds. */
  readonly everyMs?: number;
}

/**
 * Shows the fleet's gateway what is up: a small batch every few seconds. A batch that is lost is not sent again, since the next
 * one says more; so nothing of it waits here or is written to the disk.
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
    // Of more that end between two batches, the gateway notices that nothing comes of them any more.
    if (this.#ended.size < MOST_CHANNELS) this.#ended.add(uniqueid);
  }

  tick(nowMs: number): void {
    // Not the time of day, which may be set back.
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
    const { url, token, site } = this.#options;
    const ended = [...this.#ended];
    try {
      const response = await fetch(`${url}/v1/fleet/live`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/x-ndjson',
          'content-encoding': 'gzip',
          ...(site === null ? {} : { 'mes-site': site }),
        },
        body: await zip(await this.#batch(nowMs, ended)),
        signal: AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(ANSWER_WAIT_MS)]),
      });
      await response.arrayBuffer();
      if (!response.ok) {
        this.#pause(
          response.status === 404 ? NO_ADDRESS_PAUSE_MS : Number(response.headers.get('retry-after') ?? '0') * 1000,
        );
        return;
      }
      for (const uniqueid of ended) this.#ended.delete(uniqueid);
      this.#pauseMs = 0;
      this.#counters.live_batches++;
    } catch {
      // What does not answer is told by whoever ships the calls.
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
    // A batch of a later moment takes the place of one before, also when the clock was set back.
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
    // Channels that ended meanwhile are not shown there any more by then.
    this.#ended.clear();
  }
}
