/**
 * The packet at which a reader of captures stands. One object for a whole capture, overwritten by each packet:
 * a million packets make no garbage.
 */
export interface PacketCursor {
  /** The bytes that `start` and `end` count in. */
  readonly view: DataView;
  /** First byte of the link-layer header. */
  readonly start: number;
  /** After the last captured byte. */
  readonly end: number;
  /** Bytes that the packet had on the wire; more than captured when it was cut short. */
  readonly wireBytes: number;
  /** Epoch milliseconds with a fraction. */
  readonly atMs: number;
  /** As registered at tcpdump.org/linktypes.html: 1 is Ethernet. */
  readonly linkType: number;
}

/** Reads one capture format from bytes that come in pieces. */
export interface CaptureReader extends PacketCursor {
  /** Gives it the bytes from the first one not yet consumed, now at `start`, up to `end`. */
  feed(view: DataView, start: number, end: number): void;
  /** Moves to the next packet; false when it needs more bytes than it has, or can read no further (`damage`). */
  next(): boolean;
  /** Up to where the last feed is done with; the caller keeps what follows for the next feed. */
  readonly consumed: number;
  /** Packets that the capturing side says it dropped itself; 0 in a format that does not tell. */
  readonly droppedPackets: number;
  /** Why reading had to stop, as part of a sentence; undefined while all is well. */
  readonly damage: string | undefined;
}

/** A record that claims to be longer than this is damage: four times the largest snap length of tcpdump. */
export const MAX_RECORD_BYTES = 1_048_576;

/** A view of nothing, to begin with. */
export const NO_BYTES = new DataView(new ArrayBuffer(0));
