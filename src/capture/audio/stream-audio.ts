import { ALAW_POWERS, ALAW_SAMPLES, ULAW_POWERS, ULAW_SAMPLES } from '../../stats/audio/g711.ts';
import { AudioLevelMeter } from '../../stats/audio/audio-level.ts';
import { G722Bands } from '../../stats/audio/g722.ts';
import { SampleHistory } from '../../stats/audio/sample-history.ts';
import type { AudioLevels } from '../../model/capture.ts';

const FRAME_SAMPLES = 80;
const STRIDE = 3;
/** -9 dBm0: quieter audio is not clipped. */
const LOUD_POWER = 32_768 ** 2 / 2 / 10 ** 1.214;
/** So many samples of the greatest value in a row are clipped. A pure tone that just fits has fewer. */
const CLIPPED_RUN = 3;
const GREATEST_ULAW = Math.max(...ULAW_POWERS);
const GREATEST_ALAW = Math.max(...ALAW_POWERS);
/** A larger step of the RTP time is a new beginning. */
const MOST_STEP_TICKS = 80_000;
/** Share of packets whose length may differ from their RTP time. With more it is no readable audio, but for example SRTP. */
const MOST_ODD_SHARE = 0.1;
const LEAST_TELLING = 10;

/** Codecs that can be decoded here: one byte for each tick of their clock. */
export type ReadableCodec = 'ulaw' | 'alaw' | 'g722';

export function isReadable(codec: string | null | undefined): codec is ReadableCodec {
  return codec === 'ulaw' || codec === 'alaw' || codec === 'g722';
}

/** The media of one packet, in place. */
export interface CapturedPayload {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
  readonly codec: ReadableCodec;
}

/** Examines the audio of one stream as it passes. It keeps none of it, except two seconds while an echo is searched for. */
export class StreamAudio {
  /** The last two seconds, while an echo is searched for. */
  history: SampleHistory | undefined;
  /** The other direction between the same two ports; undefined: there is none. */
  opposite: StreamAudio | undefined;
  /** True: no echo of this call was searched for yet. */
  isUnsearched = true;
  /** Latest time at which sample 0 can have been sent, epoch milliseconds: the minimum over all packets. */
  originMs = Number.POSITIVE_INFINITY;
  /** Length of the examined audio. */
  heardMs = 0;
  readonly #meter = new AudioLevelMeter();
  #bands: G722Bands | undefined;
  #lastSequence = -1;
  #lastTimestamp = 0;
  #lastBytes = 0;
  /** Sample number on the RTP clock, without its wraps. */
  #number = 0;
  #telling = 0;
  #odd = 0;
  #phase = 0;

  /** Takes the whole media of a packet. A duplicate or a late packet changes nothing. */
  take(payload: CapturedPayload, sequence: number, timestamp: number, atMs: number): void {
    const { from, to, codec } = payload;
    const ahead = (sequence - this.#lastSequence) & 0xffff;
    const isFirst = this.#lastSequence < 0;
    if (!isFirst && (ahead === 0 || ahead > 0x7fff)) return;
    const ticks = (timestamp - this.#lastTimestamp) | 0;
    const isNext = !isFirst && ahead === 1;
    if (isNext) this.#compare(ticks);
    if (isFirst || Math.abs(ticks) > MOST_STEP_TICKS || ticks < 0) this.#beginAnew();
    else this.#number += ticks;
    this.#lastSequence = sequence;
    this.#lastTimestamp = timestamp;
    this.#lastBytes = to - from;
    this.heardMs += (to - from) / 8;
    this.originMs = Math.min(this.originMs, atMs - this.#number / 8);
    const history = this.history?.goTo(this.#number) === true ? this.history : undefined;
    if (codec === 'g722') {
      this.#takeG722(payload, history);
      return;
    }
    this.#takeG711(payload);
    if (history !== undefined) remember(payload, history);
  }

  /** Null: too little audio, or it is not what the codec says, as with SRTP. */
  levels(): AudioLevels | null {
    const isRead = this.#telling >= LEAST_TELLING && this.#odd <= MOST_ODD_SHARE * this.#telling;
    return isRead ? this.#meter.levels() : null;
  }

  /** Checks that a packet's length fits the step of the clock to the next packet. Encryption adds bytes to each. */
  #compare(ticks: number): void {
    this.#telling += 1;
    // A pause of the sender is longer.
    if (ticks < this.#lastBytes || (ticks > this.#lastBytes && ticks <= 2 * this.#lastBytes)) this.#odd += 1;
  }

  #beginAnew(): void {
    this.#number = 0;
    this.originMs = Number.POSITIVE_INFINITY;
    this.#bands = undefined;
    if (this.history !== undefined) this.history = new SampleHistory();
  }

  /** Takes every third sample for the power. Over a few packets this meets all phases of any tone. */
  #takeG711(payload: CapturedPayload): void {
    const { bytes, from, to, codec } = payload;
    const powers = codec === 'ulaw' ? ULAW_POWERS : ALAW_POWERS;
    this.#phase = (this.#phase + 1) % STRIDE;
    let power = 0;
    let count = 0;
    for (let at = from + this.#phase; at < to; at += STRIDE) {
      power += powers[bytes[at] ?? 0] ?? 0;
      count += 1;
    }
    if (count === 0) return;
    const mean = power / count;
    const clipped = mean < LOUD_POWER ? 0 : clippedPercent(payload, powers);
    this.#meter.take(mean, (to - from) / FRAME_SAMPLES, clipped);
  }

  #takeG722({ bytes, from, to }: CapturedPayload, history: SampleHistory | undefined): void {
    const bands = (this.#bands ??= new G722Bands());
    let power = 0;
    const clipped = new ClippedRuns();
    for (let at = from; at < to; at += 1) {
      bands.take(bytes[at] ?? 0);
      power += bands.low * bands.low + bands.high * bands.high;
      clipped.take(bands.isGreatest);
      history?.take(bands.low);
    }
    if (to > from)
      this.#meter.take(power / (to - from), (to - from) / FRAME_SAMPLES, (100 * clipped.samples) / (to - from));
  }
}

/** Counts samples in runs of the greatest value. */
class ClippedRuns {
  samples = 0;
  #run = 0;

  take(isGreatest: boolean): void {
    this.#run = isGreatest ? this.#run + 1 : 0;
    if (this.#run === CLIPPED_RUN) this.samples += CLIPPED_RUN;
    else if (this.#run > CLIPPED_RUN) this.samples += 1;
  }
}

function clippedPercent({ bytes, from, to, codec }: CapturedPayload, powers: Float64Array): number {
  const greatest = codec === 'ulaw' ? GREATEST_ULAW : GREATEST_ALAW;
  const clipped = new ClippedRuns();
  for (let at = from; at < to; at += 1) clipped.take(powers[bytes[at] ?? 0] === greatest);
  return (100 * clipped.samples) / (to - from);
}

function remember({ bytes, from, to, codec }: CapturedPayload, history: SampleHistory): void {
  const samples = codec === 'ulaw' ? ULAW_SAMPLES : ALAW_SAMPLES;
  for (let at = from; at < to; at += 1) history.take(samples[bytes[at] ?? 0] ?? 0);
}
