/** With one answer, packets may still be on their way to us. */
const ANSWERS_UNTIL_MUTE = 2;

/**
 * Notices a tcpdump that captures and writes nothing. When a signal interrupts a write into a full pipe, libpcap 1.10 never
 * writes again, and still counts packets as captured.
 */
export class Muteness {
  #captured = 0;
  #pieces = 0;
  #answers = 0;

  /**
   * Call it with each answer of tcpdump. `captured`: packets captured, `pieces`: pieces of output read, both since its start.
   * True: for two answers in a row it captured and nothing came.
   */
  isMute(captured: number, pieces: number): boolean {
    const isSilent = captured > this.#captured && pieces === this.#pieces;
    this.#answers = isSilent ? this.#answers + 1 : 0;
    this.#captured = captured;
    this.#pieces = pieces;
    return this.#answers >= ANSWERS_UNTIL_MUTE;
  }
}
