import { randomUUID } from 'node:crypto';

/** Another gateway is gone when nothing of it has changed for so long, by the clock of whoever looks. */
const GONE_AFTER_MS = 20_000;
/** Clocks of two gateways differ by less; what is older is of gateways that ended long ago. */
const LOOKS_BACK_MS = 3_600_000;

/** What a gateway writes of itself. */
export interface Beat {
  readonly id: string;
  readonly version: number;
  /** The order of gateways: the lowest leads. */
  readonly began: number;
  readonly hasLeft: boolean;
  /** Since when every shard has answered without a break, as far as this gateway knows. */
  readonly wholeSinceMs: number;
}

export interface BeatStore {
  readBeats(sinceMs: number): Promise<readonly Beat[]>;
  writeBeat(beat: Beat, nowMs: number): Promise<void>;
}

export interface LeaseOptions {
  readonly store: BeatStore;
  readonly nowMs: () => number;
  /** For tests: another span than 20 s, and another clock than `performance.now()`, which nobody sets. */
  readonly goneAfterMs?: number | undefined;
  readonly timeMs?: () => number;
}

/**
 * Which of several gateways leads: the one that is there for longest. Each writes that it is there, and sees of the others
 * whether their word changes, so that no clock has to agree with another. A gateway that stood still begins anew, behind the
 * others: by then one of them may lead.
 */
export class Lease {
  readonly #store: BeatStore;
  readonly #nowMs: () => number;
  readonly #goneAfterMs: number;
  readonly #timeMs: () => number;
  #own: Beat | null = null;
  /** When the last beat was begun. */
  #beatMs = Number.NEGATIVE_INFINITY;
  #sinceMs = 0;
  /** Of each other gateway its last version, and when that was first seen. */
  readonly #seen = new Map<string, { readonly version: number; readonly atMs: number }>();
  #leads = false;

  constructor({ store, nowMs, goneAfterMs = GONE_AFTER_MS, timeMs = () => performance.now() }: LeaseOptions) {
    this.#timeMs = timeMs;
    this.#store = store;
    this.#nowMs = nowMs;
    this.#goneAfterMs = goneAfterMs;
  }

  /** Whether this gateway leads now. False when it could not say for half of the time that it is there. */
  get isHeld(): boolean {
    return this.#leads && this.#timeMs() - this.#beatMs < this.#goneAfterMs / 2;
  }

  /**
   * Says that it is there, and looks who else is; call it at least ten times in the time after which others take it for gone.
   * `isWhole`: every shard answers. The answer: since when that is so; not known before this gateway has looked. Rejects when
   * the store does not answer.
   */
  async beat(isWhole: boolean): Promise<number> {
    const startMs = this.#timeMs();
    if (startMs - this.#beatMs >= this.#goneAfterMs / 2) {
      this.#own = null;
      this.#leads = false;
    }
    const nowMs = this.#nowMs();
    const isNew = this.#own === null;
    const own = this.#own ?? this.#begin(await this.#read(nowMs), nowMs);
    const next: Beat = {
      ...own,
      version: Math.max(nowMs, own.version + 1),
      wholeSinceMs: isWhole ? own.wholeSinceMs : nowMs,
    };
    // Written before it looks: of two that begin at once, each sees the other before it leads.
    await this.#store.writeBeat(next, nowMs);
    this.#own = next;
    this.#beatMs = startMs;
    if (isNew) this.#sinceMs = this.#timeMs();
    const others = (await this.#read(nowMs)).filter(({ id, hasLeft }) => id !== next.id && !hasLeft);
    const lookedMs = this.#timeMs();
    for (const { id, version } of others)
      if (this.#seen.get(id)?.version !== version) this.#seen.set(id, { version, atMs: lookedMs });
    const isFirst = others
      .filter(({ id }) => lookedMs - (this.#seen.get(id)?.atMs ?? 0) < this.#goneAfterMs)
      .every(({ began, id }) => began > next.began || (began === next.began && id > next.id));
    this.#leads = isFirst && lookedMs - this.#sinceMs >= this.#goneAfterMs / 2;
    return next.wholeSinceMs;
  }

  #read(nowMs: number): Promise<readonly Beat[]> {
    return this.#store.readBeats(nowMs - LOOKS_BACK_MS);
  }

  #begin(beats: readonly Beat[], nowMs: number): Beat {
    // Gateways that are restarted one by one leave no gap.
    const recent = beats.filter(({ version }) => version > nowMs - 1.5 * this.#goneAfterMs);
    return {
      id: randomUUID(),
      version: 0,
      began: Math.max(nowMs, ...beats.map(({ began }) => began + 1)),
      hasLeft: false,
      wholeSinceMs: recent.length === 0 ? nowMs : Math.max(...recent.map(({ wholeSinceMs }) => wholeSinceMs)),
    };
  }

  /** Makes way for another at once. */
  async leave(): Promise<void> {
    this.#leads = false;
    if (this.#own === null) return;
    const nowMs = this.#nowMs();
    await this.#store.writeBeat(
      { ...this.#own, version: Math.max(nowMs, this.#own.version + 1), hasLeft: true },
      nowMs,
    );
    this.#own = null;
  }
}
