import { sleepUnlessAborted } from '../link-state.ts';

/**
 * The global variable in Asterisk that says which sidecar writes scores to its channels, and until which second of Asterisk's
 * clock it counts as alive. Two sidecars, each with its own database, would overwrite each other's scores.
 */
export const WRITER_VARIABLE = 'MES_SIDECAR';

/** How often to look whether another sidecar is still alive. */
const LOOK_EVERY_MS = 500;
/**
 * A sidecar says that it is alive for the next 11 s at most. A longer time comes from no sidecar: a stranger wrote it, or
 * somebody set Asterisk's clock back. Nobody would ever take it away, so it is ignored.
 */
const LONGEST_S = 15;
/** The second that a sidecar writes when it says goodbye. */
const GONE = 0;

interface Writer {
  readonly id: string;
  readonly untilS: number;
}

interface Sight {
  /** Another sidecar that counts as alive; null: there is none. */
  readonly other: Writer | null;
  /** By Asterisk's clock; undefined: not asked, or not told. */
  readonly nowS?: number | undefined;
}

/** What is needed of the connection. Each method rejects if Asterisk does not answer or does not allow it. */
export interface GlobalVariables {
  getGlobal(name: string): Promise<string>;
  setGlobal(name: string, value: string): Promise<void>;
  /** Seconds of Asterisk's clock; undefined: Asterisk does not tell. */
  clockS(): Promise<number | undefined>;
}

/** Makes sure that one sidecar alone writes scores to an Asterisk. */
export class SoleWriter {
  readonly #id: string;
  readonly #globals: GlobalVariables;
  readonly #lookEveryMs: number;
  /** Until this second no other sidecar may take the place; 0: the place is not held. */
  #heldUntilS = GONE;
  /** What stood in our place at the last look, written over because no sidecar may have written it. */
  #overwritten: Writer | null = null;

  /** `id`: letters and digits, the same after a restart, so that a sidecar that was killed does not keep itself out. */
  constructor(id: string, globals: GlobalVariables, lookEveryMs = LOOK_EVERY_MS) {
    this.#id = id;
    this.#globals = globals;
    this.#lookEveryMs = lookEveryMs;
  }

  /**
   * Resolves with false as soon as another sidecar is seen alive, and with true when there is none. If one was alive a moment
   * ago, this takes until it shows itself again or its time has run out. If Asterisk cannot be asked, nobody is kept out.
   */
  async isAlone(stopping: AbortSignal): Promise<boolean> {
    let firstS: number | undefined;
    while (!stopping.aborted) {
      const other = await this.#look().then(
        (sight) => sight.other,
        () => null,
      );
      if (other === null) return true;
      firstS ??= other.untilS;
      if (other.untilS !== firstS) return false;
      await sleepUnlessAborted(this.#lookEveryMs, stopping);
    }
    return true;
  }

  /**
   * Takes or keeps the place until this second of Asterisk's clock. Resolves with false if another sidecar has taken it. While
   * our own time has not run out no sidecar takes it, so another name there is a stranger's and is written over. Two that
   * started in the same moment both hold it: the one that sees the other renew gives way.
   */
  async keep(untilS: number): Promise<boolean> {
    const { other, nowS } = await this.#look();
    if (other !== null && this.#mustGiveWay(other, nowS)) {
      this.#heldUntilS = GONE;
      this.#overwritten = null;
      return false;
    }
    this.#overwritten = other;
    await this.#write(untilS);
    return true;
  }

  /** Gives the place up, unless another one has it. */
  async leave(): Promise<void> {
    if ((await this.#look()).other === null) await this.#write(GONE);
  }

  async #write(untilS: number): Promise<void> {
    await this.#globals.setGlobal(WRITER_VARIABLE, `${this.#id} ${untilS}`);
    this.#heldUntilS = untilS;
  }

  #mustGiveWay(other: Writer, nowS = Infinity): boolean {
    if (this.#heldUntilS <= nowS) return true;
    const before = this.#overwritten;
    return before?.id === other.id && before.untilS !== other.untilS;
  }

  async #look(): Promise<Sight> {
    const writer = writerIn(await this.#globals.getGlobal(WRITER_VARIABLE));
    if (writer === null || writer.id === this.#id) return { other: null };
    const nowS = await this.#globals.clockS();
    if (nowS === undefined || writer.untilS <= nowS || writer.untilS > nowS + LONGEST_S) return { other: null, nowS };
    return { other: writer, nowS };
  }
}

function writerIn(text: string): Writer | null {
  const [, id, untilS] = /^(\w{1,64}) (\d{1,12})$/.exec(text) ?? [];
  return id === undefined ? null : { id, untilS: Number(untilS) };
}
