/** This many duplicates in a row, each within this many packets after the one before, come from the capture itself. */
const CAPTURED_TWICE_AFTER_DUPLICATES = 3;
const CAPTURED_TWICE_WITHIN_PACKETS = 3;

/**
 * Tells a second sight of the same packet (a mirror port, a router, another interface) from one that the network doubled. The
 * former come with every packet, the latter now and then; only those tell of the network and count for jitter (RFC 3550 A.8:
 * each packet received).
 */
export class SecondSights {
  #receivedAtDuplicate = 0;
  /** Duplicates that came close upon each other; at first as many as it takes, for a mirror doubles from the first packet. */
  #duplicatesInRow = CAPTURED_TWICE_AFTER_DUPLICATES;

  /** Whether a duplicate, after `received` different packets, comes from the capture itself. */
  isOne(received: number): boolean {
    const isNear = received - this.#receivedAtDuplicate <= CAPTURED_TWICE_WITHIN_PACKETS;
    this.#receivedAtDuplicate = received;
    this.#duplicatesInRow = isNear ? this.#duplicatesInRow + 1 : 0;
    return this.#duplicatesInRow >= CAPTURED_TWICE_AFTER_DUPLICATES;
  }
}
