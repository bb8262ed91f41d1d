import type { Clock } from '../model/ports.ts';
import type { ChannelRecord } from '../model/record.ts';
import { type SequencedRow, writeBatch } from './batch.ts';
import { type GatewayAddress, postRows } from './gateway-client.ts';
import { Gatherer, type GathererOptions, type OutboxView } from './gatherer.ts';
import type { Cell, KindName } from './kinds.ts';
import { errorText } from '../units/error-text.ts';
import { retryAfterMs } from '../units/retry-after.ts';

const SHIP_EVERY_MS = 2000;
const BATCH_ROWS = 5000;
const ANSWER_WAIT_MS = 30_000;
const FIRST_BACK_OFF_MS = 2000;
export const LONGEST_BACK_OFF_MS = 300_000;

export interface ShipperOptions extends GathererOptions, GatewayAddress {
  readonly clock: Clock;
  readonly random: () => number;
}

/** Puts ended calls into the outbox, and ships the outbox to the fleet's gateway. It delays no call. */
export class FleetShipper {
  readonly #options: ShipperOptions;
  readonly #gatherer: Gatherer;
  readonly #counters = { shipped: 0, refused: 0, failed: 0 };
  #gathering: Promise<void> | null = null;
  #shipping: Promise<void> | null = null;
  #nextShipMs = 0;
  #backOffMs = 0;
  #batchRows = BATCH_ROWS;
  #outbox: OutboxView = { rows: 0, dropped: 0, oldestVersion: null };
  #lastProblem = '';
  readonly #stopping = new AbortController();

  constructor(options: ShipperOptions) {
    this.#options = options;
    this.#gatherer = new Gatherer({ ...options, onProblem: (sentence) => this.#tell(sentence) });
  }

  get counters(): Readonly<Record<string, number>> {
    return { ...this.#counters, outbox_rows: this.#outbox.rows, outbox_dropped: this.#outbox.dropped };
  }

  /** Finds what the sidecar had not put into the outbox when it last ended. */
  async start(): Promise<void> {
    await this.#gatherer.start();
  }

  channelEnded({ linkedid }: ChannelRecord): void {
    this.#gatherer.channelEnded(linkedid, this.#options.clock.nowMs());
  }

  tick(nowMs: number): void {
    if (this.#stopping.signal.aborted) return;
    this.#gathering ??= this.#gather(nowMs).finally(() => (this.#gathering = null));
    if (nowMs < this.#nextShipMs) return;
    this.#shipping ??= this.#ship(nowMs).finally(() => (this.#shipping = null));
  }

  /** Whether every change is in the outbox. */
  get isEven(): boolean {
    return this.#gatherer.isEven;
  }

  /** Resolves when nothing is being gathered or sent. */
  async idle(): Promise<void> {
    await Promise.allSettled([this.#gathering, this.#shipping]);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.idle();
  }

  async #gather(nowMs: number): Promise<void> {
    try {
      await this.#gatherer.gather(nowMs, this.#outbox, () => this.#stopping.signal.aborted);
    } catch (error) {
      this.#tell(`the outbox cannot be written (${errorText(error)})`);
    }
  }

  async #ship(nowMs: number): Promise<void> {
    const { history, random } = this.#options;
    const jitter = 0.75 + random() / 2;
    try {
      for (;;) {
        const waiting = await history.features.read('outbox', 'next', this.#batchRows);
        this.#outbox = await history.features.read('outbox', 'state', undefined);
        if (waiting.length === 0 || this.#stopping.signal.aborted) break;
        const isDone = await this.#send(
          waiting.map(({ cells, ...row }) => ({
            ...row,
            kind: row.kind as KindName,
            cells: JSON.parse(cells) as Record<string, Cell>,
          })),
        );
        if (isDone && waiting.length < this.#batchRows) break;
      }
      this.#backOffMs = 0;
      this.#nextShipMs = nowMs + SHIP_EVERY_MS * jitter;
    } catch (error) {
      this.#counters.failed++;
      const waitMs = error instanceof WaitError ? error.waitMs : 0;
      this.#backOffMs = Math.min(LONGEST_BACK_OFF_MS, Math.max(FIRST_BACK_OFF_MS, this.#backOffMs * 2, waitMs));
      this.#nextShipMs = nowMs + this.#backOffMs * jitter;
      this.#tell(`the fleet's gateway ${this.#options.url} does not take rows (${errorText(error)}); they wait here`);
    }
  }

  /**
   * True: the gateway has stored the rows. False: it refused some of them, and the next batch is smaller. Rejects when they
   * must be sent again later.
   */
  async #send(rows: readonly SequencedRow[]): Promise<boolean> {
    const { history } = this.#options;
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(ANSWER_WAIT_MS)]);
    const response = await postRows(this.#options, '/v1/fleet/batches', writeBatch(rows), signal);
    const body: unknown = await response.json().catch(() => null);
    if (response.ok) {
      const acknowledged = Number((body as { readonly acked_to?: unknown } | null)?.acked_to);
      const last = rows.at(-1)?.sequence ?? -1;
      if (acknowledged !== last) throw new Error('its answer acknowledges something else');
      await history.features.write('outbox', 'acknowledge', last);
      this.#counters.shipped += rows.length;
      this.#batchRows = BATCH_ROWS;
      this.#lastProblem = '';
      return true;
    }
    const { detail: said } = (body ?? {}) as { readonly detail?: unknown };
    const detail = typeof said === 'string' ? said : `it answered ${response.status}`;
    if (response.status !== 400 && response.status !== 413) {
      throw new WaitError(detail, retryAfterMs(response.headers.get('retry-after'), LONGEST_BACK_OFF_MS));
    }
    // Some row is refused. Find it by halves, so that it holds up no other row.
    const [only] = rows;
    if (rows.length > 1) {
      this.#batchRows = Math.ceil(rows.length / 2);
    } else if (only !== undefined) {
      await history.features.write('outbox', 'acknowledge', only.sequence);
      this.#counters.refused++;
      this.#tell(`the fleet's gateway refused a row, which is dropped (${detail})`);
    }
    return false;
  }

  /** Logs a sentence, unless it was the last one logged. */
  #tell(sentence: string): void {
    if (sentence === this.#lastProblem) return;
    this.#lastProblem = sentence;
    this.#options.onProblem(sentence);
  }
}

class WaitError extends Error {
  readonly waitMs: number;

  constructor(message: string, waitMs: number) {
    super(message);
    this.waitMs = waitMs;
  }
}
