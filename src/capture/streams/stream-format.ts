/**
 * How a clock rate is known. `option`: by `--codec`. `channel`: by the codec that the PBX names. `sr`: by sender reports.
 * `assumed`: a guess, by which nothing is measured.
 */
export type ClockSource = 'option' | 'static' | 'sdp' | 'channel' | 'sr' | 'measured' | 'assumed';

/** What is known of the codec of a stream. */
export interface StreamFormat {
  /** Asterisk's name of the codec; null: no SDP explains the dynamic payload type. */
  readonly codec: string | null;
  readonly clockRateHz: number;
  readonly clockRateSource: ClockSource;
  /** The clock rate of signalling or of the codec, if the packets show another one. */
  readonly signalledClockRateHz?: number;
}
