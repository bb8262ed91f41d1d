/** One answer may come while what was captured just now is on its way. */
const ANSWERS_UNTIL_MUTE = 2;

/**
 * Notices a tcpdump that captures and writes nothing. A write of it that failed once, because a signal interrupted it while
 * the pipe was full, is the last: libpcap 1.10 drops all that follows, and counts it as captured.
 */
export class Muteness {
  #captured = 0;
  #pieces = 0;
  #answers = 0;

  /**
   * Told at each of tcpdump's answers how many packets it has captured, and how many pieces of its output were read, both
   * since its start. True when it went on capturing and nothing came, and that for two answers in a row.
   */
  isMute(captured: number, pieces: number): boolean {
    const isSilent = captured > this.#captured && pieces === this.#pieces;
    this.#answers = isSilent ? this.#answers + 1 : 0;
    this.#captured = captured;
    this.#pieces = pieces;
    return this.#answers >= ANSWERS_UNTIL_MUTE;
  }
}
