import { type PayloadFormat, TELEPHONE_EVENT } from '../wire/payload-types.ts';
import type { SdpMedia } from '../wire/sip-sdp.ts';

/** Bound on remembered media addresses; the oldest go first. */
const MAX_ENTRIES = 8192;

/** What the SIP messages of a capture say about payload types and media addresses. */
export class SdpAnnouncements {
  readonly #byAddress = new Map<string, ReadonlyMap<number, PayloadFormat>>();
  /** What every SDP so far agrees on; null where two differ. The same payload type may mean something else in video. */
  readonly #agreed = {
    audio: new Map<number, PayloadFormat | null>(),
    video: new Map<number, PayloadFormat | null>(),
  };

  add({ kind, address, port, formats }: SdpMedia): void {
    const key = address.includes(':') ? `[${address.toLowerCase()}]:${port}` : `${address}:${port}`;
    this.#byAddress.delete(key);
    this.#byAddress.set(key, formats);
    if (this.#byAddress.size > MAX_ENTRIES) {
      for (const oldest of this.#byAddress.keys()) {
        this.#byAddress.delete(oldest);
        break;
      }
    }
    const agreed = this.#agreed[kind];
    for (const [payloadType, format] of formats) {
      const known = agreed.get(payloadType);
      if (known === undefined) agreed.set(payloadType, format);
      else if (known?.codec !== format.codec || known.clockRateHz !== format.clockRateHz) {
        agreed.set(payloadType, null);
      }
    }
  }

  get isEmpty(): boolean {
    return this.#byAddress.size === 0;
  }

  /** Whether an SDP announces media from or to this `address:port`. */
  announces(addressAndPort: string): boolean {
    return this.#byAddress.has(addressAndPort);
  }

  /**
   * The format of a payload type in a stream: as its receiver asked for (RFC 3264 §5.1), or else as its sender offered, or else
   * (behind a NAT or a relay) as all SDPs of the capture agree.
   */
  format(payloadType: number, source: string, destination: string): PayloadFormat | undefined {
    return (
      this.#byAddress.get(destination)?.get(payloadType) ??
      this.#byAddress.get(source)?.get(payloadType) ??
      this.#agreed.audio.get(payloadType) ??
      this.#agreed.video.get(payloadType) ??
      undefined
    );
  }

  /** The payload type of pressed keys in a stream; undefined: no SDP of either end names one. */
  eventPayloadType(source: string, destination: string): number | undefined {
    for (const address of [destination, source]) {
      for (const [payloadType, { codec }] of this.#byAddress.get(address) ?? []) {
        if (codec === TELEPHONE_EVENT) return payloadType;
      }
    }
    return undefined;
  }
}
