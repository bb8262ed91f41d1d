/** The capture itself makes duplicates when so many follow each other, each at most so many packets after the last. */
const CAPTURED_TWICE_AFTER_DUPLICATES = 3;
const CAPTURED_TWICE_WITHIN_PACKETS = 3;

/**
 * Tells two kinds of duplicates apart. A capture that sees the same packet twice (mirror port, router, second interface) doubles
 * every packet. A network doubles one now and then; only such a duplicate was received, so only it counts for jitter
 * (RFC 3550 A.8).
 */
export class CaptureDuplicates {
  #receivedAtDuplicate = 0;
  /**
   * Duplicates that follow close on each other. The count starts full, because a mirror port doubles from the first packet on.
   */
  #duplicatesInRow = CAPTURED_TWICE_AFTER_DUPLICATES;

  /** Whether the capture, and not the network, made a duplicate. `received`: different packets so far. */
  isFromCapture(received: number): boolean {
    const isNear = received - this.#receivedAtDuplicate <= CAPTURED_TWICE_WITHIN_PACKETS;
    this.#receivedAtDuplicate = received;
    this.#duplicatesInRow = isNear ? this.#duplicatesInRow + 1 : 0;
    return this.#duplicatesInRow >= CAPTURED_TWICE_AFTER_DUPLICATES;
  }
}
