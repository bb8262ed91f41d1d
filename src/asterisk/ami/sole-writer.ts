import { sleepUnlessAborted } from '../link-state.ts';

/**
 * A global variable in Asterisk: which sidecar writes scores to its channels, and until which second of Asterisk's clock it counts
 * as alive. Two of them, each with a database of its own, would overwrite each other's scores.
 */
export const WRITER_VARIABLE = 'MES_SIDECAR';

/** How often it is looked whether another one that was alive is still so. */
const LOOK_EVERY_MS = 500;
/**
 * A sidecar says that it is alive for the next 11 s at most. What says more is no sidecar's word: a stranger wrote it, or Asterisk's
 * clock was set back since, and nobody would ever take it away.
 */
const LONGEST_S = 120;
/** Of a sidecar that has said goodbye. */
const GONE = 0;

interface Writer {
  readonly id: string;
  readonly untilS: number;
}

/** What is needed of the connection; each rejects where Asterisk does not answer, or does not allow it. */
export interface GlobalVariables {
  getGlobal(name: string): Promise<string>;
  setGlobal(name: string, value: string): Promise<void>;
  /** Seconds of Asterisk's clock; undefined where it does not tell. */
  clockS(): Promise<number | undefined>;
}

/** Keeps the place of the one sidecar that writes scores to an Asterisk. */
export class SoleWriter {
  readonly #id: string;
  readonly #globals: GlobalVariables;
  readonly #lookEveryMs: number;

  /** `id`: the same after a restart, so that a sidecar that was killed is not kept out by itself. Letters and digits. */
  constructor(id: string, globals: GlobalVariables, lookEveryMs = LOOK_EVERY_MS) {
    this.#id = id;
    this.#globals = globals;
    this.#lookEveryMs = lookEveryMs;
  }

  /**
   * Resolves with false as soon as another sidecar is seen alive, with true when there is none. Where one was alive a moment ago,
   * that takes until it has shown itself again or its time has run out. What cannot be asked keeps nobody out.
   */
  async isAlone(stopping: AbortSignal): Promise<boolean> {
    let firstS: number | undefined;
    while (!stopping.aborted) {
      const other = await this.#other().catch(() => null);
      if (other === null) return true;
      firstS ??= other.untilS;
      if (other.untilS !== firstS) return false;
      await sleepUnlessAborted(this.#lookEveryMs, stopping);
    }
    return true;
  }

  /** Takes the place, or keeps it, until this second of Asterisk's clock. Resolves with false when another sidecar has taken it. */
  async keep(untilS: number): Promise<boolean> {
    if ((await this.#other()) !== null) return false;
    await this.#globals.setGlobal(WRITER_VARIABLE, `${this.#id} ${untilS}`);
    return true;
  }

  /** Gives the place up, unless another one has it. */
  async leave(): Promise<void> {
    await this.keep(GONE);
  }

  /** Another sidecar that counts as alive; null: none does. */
  async #other(): Promise<Writer | null> {
    const writer = writerIn(await this.#globals.getGlobal(WRITER_VARIABLE));
    if (writer === null || writer.id === this.#id) return null;
    const nowS = await this.#globals.clockS();
    if (nowS === undefined || writer.untilS <= nowS || writer.untilS > nowS + LONGEST_S) return null;
    return writer;
  }
}

function writerIn(text: string): Writer | null {
  const [, id, untilS] = /^(\w{1,64}) (\d{1,12})$/.exec(text) ?? [];
  return id === undefined ? null : { id, untilS: Number(untilS) };
}
