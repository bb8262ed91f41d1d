import { gzip } from 'node:zlib';
import { promisify } from 'node:util';
import type { History } from '../history/history.ts';
import type { Clock, HistoryReader } from '../model/ports.ts';
import type { ChannelRecord } from '../model/record.ts';
import { type SequencedRow, writeBatch } from './batch.ts';
import { callRows, wantsIntervals } from './call-rows.ts';
import type { Cell, KindName } from './kinds.ts';

/** A call's last reports and its hangup handler's word are in by then. */
const QUIET_MS = 3000;
const SHIP_EVERY_MS = 2000;
const HEARTBEAT_EVERY_MS = 60_000;
const BATCH_ROWS = 5000;
/** About 1 KB each: a day of a busy PBX without a gateway. */
const MOST_OUTBOX_ROWS = 500_000;
const ANSWER_WAIT_MS = 30_000;
const FIRST_BACK_OFF_MS = 2000;
const LONGEST_BACK_OFF_MS = 300_000;
/** Calls looked at together when the sidecar starts. */
const PAGE = 200;
/** A call that ended before the mark may have been put behind it by so much. */
const MARK_SLACK_MS = 60_000;
const LONGEST_CALL_MS = 86_400_000;

const zip = promisify(gzip);

export interface ShipperOptions {
  readonly url: string;
  readonly token: string;
  readonly site: string | null;
  readonly send: 'summaries' | 'bad-intervals' | 'intervals';
  readonly history: Pick<History, 'features'>;
  readonly calls: HistoryReader;
  readonly clock: Clock;
  readonly random: () => number;
  /** What the PBX tells of itself once a minute. */
  readonly heartbeat: () => Readonly<Record<string, Cell>>;
  readonly onProblem: (sentence: string) => void;
}

/** Puts calls that have ended into the outbox, and ships the outbox to the fleet's gateway. Never in the way of a call. */
export class FleetShipper {
  readonly #options: ShipperOptions;
  /** Linkedid of calls with channels that ended → when the last one did. */
  readonly #ended = new Map<string, number>();
  readonly #counters = { shipped: 0, refused: 0, failed: 0 };
  #gathering: Promise<void> | null = null;
  #shipping: Promise<void> | null = null;
  #nextShipMs = 0;
  #nextHeartbeatMs = 0;
  #backOffMs = 0;
  #batchRows = BATCH_ROWS;
  #outboxRows = 0;
  #dropped = 0;
  #lastProblem = '';
  readonly #stopping = new AbortController();

  constructor(options: ShipperOptions) {
    this.#options = options;
  }

  get counters(): Readonly<Record<string, number>> {
    return { ...this.#counters, outbox_rows: this.#outboxRows, outbox_dropped: this.#dropped };
  }

  /** Finds calls that ended while nobody put them into the outbox. */
  async start(): Promise<void> {
    const { history, calls } = this.#options;
    const markMs = await history.features.read('outbox', 'mark', undefined);
    if (markMs === 0) return;
    let cursor: Parameters<HistoryReader['calls']>[2] = null;
    do {
      const page = await calls.calls({ fromMs: markMs - LONGEST_CALL_MS }, PAGE, cursor);
      for (const { linkedid, endedAtMs } of page.calls) {
        if (endedAtMs !== null && endedAtMs >= markMs - MARK_SLACK_MS) this.#ended.set(linkedid, 0);
      }
      cursor = page.next;
    } while (cursor !== null);
  }

  channelEnded({ linkedid }: ChannelRecord): void {
    this.#ended.set(linkedid, this.#options.clock.nowMs());
  }

  tick(nowMs: number): void {
    if (this.#stopping.signal.aborted) return;
    this.#gathering ??= this.#gather(nowMs).finally(() => (this.#gathering = null));
    if (nowMs < this.#nextShipMs) return;
    this.#shipping ??= this.#ship(nowMs).finally(() => (this.#shipping = null));
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.allSettled([this.#gathering, this.#shipping]);
  }

  async #gather(nowMs: number): Promise<void> {
    try {
      for (const [linkedid, atMs] of this.#ended) {
        if (nowMs - atMs < QUIET_MS || this.#stopping.signal.aborted) continue;
        this.#ended.delete(linkedid);
        await this.#putCall(linkedid, nowMs);
      }
      if (nowMs >= this.#nextHeartbeatMs) {
        this.#nextHeartbeatMs = nowMs + HEARTBEAT_EVERY_MS;
        const cells = {
          ...this.#options.heartbeat(),
          minute: Math.floor(nowMs / 60_000),
          outbox_rows: this.#outboxRows,
          outbox_dropped: this.#dropped,
        };
        await this.#put([{ kind: 'heartbeats', version: nowMs, callStartedAtMs: nowMs, cells }], null);
      }
    } catch (error) {
      this.#tell(`the outbox cannot be written (${messageOf(error)})`);
    }
  }

  /** A call that is still up is put when its last channel ends. */
  async #putCall(linkedid: string, nowMs: number): Promise<void> {
    const { calls, send } = this.#options;
    const call = await calls.call(linkedid);
    if (call === null || call.endedAtMs === null) return;
    const parts = await Promise.all(
      call.channels.map(async (channel) => ({
        segments: await calls.segments(channel.uniqueid),
        intervals:
          send === 'summaries'
            ? []
            : ((await calls.intervals(channel.uniqueid)) ?? []).filter(({ direction }) =>
                wantsIntervals(send, channel, direction),
              ),
      })),
    );
    const segments = parts.flatMap((part) => part.segments);
    const intervals = parts.flatMap((part) => part.intervals);
    await this.#put(callRows({ call, segments, intervals }, Math.round(nowMs)), call.endedAtMs);
  }

  async #put(
    rows: readonly {
      kind: KindName;
      version: number;
      callStartedAtMs: number;
      cells: Readonly<Record<string, Cell>>;
    }[],
    endedAtMs: number | null,
  ): Promise<void> {
    const stored = rows.map(({ cells, ...row }) => ({
      ...row,
      version: Math.round(row.version),
      callStartedAtMs: Math.round(row.callStartedAtMs),
      cells: JSON.stringify(known(cells)),
    }));
    await this.#options.history.features.write('outbox', 'put', { rows: stored, most: MOST_OUTBOX_ROWS, endedAtMs });
  }

  async #ship(nowMs: number): Promise<void> {
    const { history, random } = this.#options;
    const jitter = 0.75 + random() / 2;
    try {
      for (;;) {
        const waiting = await history.features.read('outbox', 'next', this.#batchRows);
        const state = await history.features.read('outbox', 'state', undefined);
        this.#outboxRows = state.rows;
        this.#dropped = state.dropped;
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
      this.#tell(`the fleet's gateway ${this.#options.url} does not take rows (${messageOf(error)}); they wait here`);
    }
  }

  /** Returns whether the rows need no further thought. Rejects when they are to be sent again later. */
  async #send(rows: readonly SequencedRow[]): Promise<boolean> {
    const { url, token, site, history } = this.#options;
    const response = await fetch(`${url}/v1/fleet/batches`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/x-ndjson',
        'content-encoding': 'gzip',
        ...(site === null ? {} : { 'mes-site': site }),
      },
      body: await zip(writeBatch(rows)),
      signal: AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(ANSWER_WAIT_MS)]),
    });
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
      throw new WaitError(detail, Number(response.headers.get('retry-after') ?? '0') * 1000);
    }
    // One row is wrong: it is looked for by halves, so that it holds up no other.
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

  /** The same sentence is not told over and over. */
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
    this.waitMs = Number.isFinite(waitMs) ? waitMs : 0;
  }
}

/** What is not known is not shipped: it is null at the other end as well. */
function known(cells: Readonly<Record<string, Cell>>): Record<string, Cell> {
  return Object.fromEntries(Object.entries(cells).filter(([, value]) => value !== null));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
