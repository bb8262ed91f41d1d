import { ALAW_SAMPLES, ULAW_SAMPLES } from '../../stats/audio/g711.ts';
import { AudioLevelMeter, FRAME_SAMPLES } from '../../stats/audio/audio-level.ts';
import { G722Bands } from '../../stats/audio/g722.ts';
import { SampleHistory } from '../../stats/audio/sample-history.ts';
import type { AudioLevels } from '../../model/capture.ts';

/** Samples of the greatest size in a row are clipped; a pure tone that just fits has fewer. */
const CLIPPED_RUN = 3;
/** A step of the RTP time beyond this is a new beginning. */
const MOST_STEP_TICKS = 80_000;
/** How many of the packets may be of another length than their RTP time says: more are no audio that can be read, such as SRTP. */
const MOST_ODD_SHARE = 0.1;
const LEAST_TELLING = 10;

/** Codecs that can be looked into: one byte for each tick of their clock. */
export type ReadableCodec = 'ulaw' | 'alaw' | 'g722';

export function isReadable(codec: string | null | undefined): codec is ReadableCodec {
  return codec === 'ulaw' || codec === 'alaw' || codec === 'g722';
}

/** The media of one packet, in place. */
export interface CapturedPayload {
  readonly view: DataView;
  readonly from: number;
  readonly to: number;
  readonly codec: ReadableCodec;
}

/** Looks at the audio of one stream as it passes, and keeps none of it but the last two seconds while an echo is looked for. */
export class StreamAudio {
  /** Kept while an echo is looked for. */
  history: SampleHistory | undefined;
  /** When the sample that bears number 0 was sent at the latest, epoch milliseconds: the least that any packet says. */
  originMs = Number.POSITIVE_INFINITY;
  readonly #meter = new AudioLevelMeter();
  #bands = new G722Bands();
  #lastSequence = -1;
  #lastTimestamp = 0;
  #lastBytes = 0;
  /** On the RTP clock, without its wraps. */
  #number = 0;
  #telling = 0;
  #odd = 0;
  /** Of a frame that goes on in the next packet. */
  #frameSamples = 0;
  #framePower = 0;
  #frameClipped = 0;
  #run = 0;

  /** Takes the media of a packet, whole; one that comes again or too late changes nothing. */
  take({ view, from, to, codec }: CapturedPayload, sequence: number, timestamp: number, atMs: number): void {
    const ahead = (sequence - this.#lastSequence) & 0xffff;
    const isFirst = this.#lastSequence < 0;
    if (!isFirst && (ahead === 0 || ahead > 0x7fff)) return;
    const ticks = (timestamp - this.#lastTimestamp) | 0;
    const isNext = !isFirst && ahead === 1;
    if (isNext) this.#compare(ticks);
    if (isFirst || Math.abs(ticks) > MOST_STEP_TICKS || ticks < 0) this.#beginAnew();
    else this.#number += ticks;
    if (!isNext || ticks !== this.#lastBytes) this.#interrupt();
    this.#lastSequence = sequence;
    this.#lastTimestamp = timestamp;
    this.#lastBytes = to - from;
    this.originMs = Math.min(this.originMs, atMs - this.#number / 8);
    const history = this.history?.goTo(this.#number) === true ? this.history : undefined;
    if (codec === 'g722') this.#takeG722(view, from, to, history);
    else this.#takeG711(view, from, to, codec === 'ulaw' ? ULAW_SAMPLES : ALAW_SAMPLES, history);
  }

  /** Null: too little of it, or it is not what its codec says, as with SRTP. */
  levels(): AudioLevels | null {
    const isRead = this.#telling >= LEAST_TELLING && this.#odd <= MOST_ODD_SHARE * this.#telling;
    return isRead ? this.#meter.levels() : null;
  }

  /** A packet holds as much as the clock goes on until the next one; what encrypts adds some bytes to each. */
  #compare(ticks: number): void {
    this.#telling += 1;
    // A pause of the sender is longer.
    if (ticks < this.#lastBytes || (ticks > this.#lastBytes && ticks <= 2 * this.#lastBytes)) this.#odd += 1;
  }

  #beginAnew(): void {
    this.#number = 0;
    this.originMs = Number.POSITIVE_INFINITY;
    this.#bands = new G722Bands();
    if (this.history !== undefined) this.history = new SampleHistory();
  }

  /** A frame does not reach over packets that are missing. */
  #interrupt(): void {
    this.#frameSamples = 0;
    this.#framePower = 0;
    this.#frameClipped = 0;
    this.#run = 0;
  }

  #takeG711(view: DataView, from: number, to: number, samples: Int16Array, history: SampleHistory | undefined): void {
    const greatest = samples === ULAW_SAMPLES ? 32_124 : 32_256;
    for (let at = from; at < to; at += 1) {
      const sample = samples[view.getUint8(at)] ?? 0;
      this.#add(sample * sample, sample === greatest || sample === -greatest);
      history?.take(sample);
    }
  }

  #takeG722(view: DataView, from: number, to: number, history: SampleHistory | undefined): void {
    const bands = this.#bands;
    for (let at = from; at < to; at += 1) {
      bands.take(view.getUint8(at));
      this.#add(bands.low * bands.low + bands.high * bands.high, bands.isGreatest);
      history?.take(bands.low);
    }
  }

  #add(power: number, isGreatest: boolean): void {
    this.#framePower += power;
    if (isGreatest) {
      this.#run += 1;
      if (this.#run >= CLIPPED_RUN) this.#frameClipped += this.#run === CLIPPED_RUN ? CLIPPED_RUN : 1;
    } else this.#run = 0;
    this.#frameSamples += 1;
    if (this.#frameSamples < FRAME_SAMPLES) return;
    this.#meter.takeFrame(this.#framePower / FRAME_SAMPLES, this.#frameClipped);
    this.#frameSamples = 0;
    this.#framePower = 0;
    this.#frameClipped = 0;
  }
}
