import { Q8_ONE } from '../../units/rtp.ts';
import type { ByteWriter } from './byte-writer.ts';

export const VOIP_METRICS_BODY_BYTES = 32;

/** "Unavailable" in the fields that have such a value (RFC 3611 §4.7.3 to §4.7.5). */
const UNAVAILABLE = 127;
/** RFC 3611 §4.7.5: any other value than these and 127 must not be sent, and is ignored when it comes. */
const MAX_R = 100;
const MOS_SCALE = 10;
const MIN_MOS_TENTHS = 10;
const MAX_MOS_TENTHS = 50;
/** §4.7.2: Gmin is never 0. */
const MIN_GMIN = 1;
const MAX_Q8 = 255;
const MAX_BYTE = 255;

/**
 * The VoIP Metrics block (RFC 3611 §4.7). Null is unknown: 127 in the levels and scores, 0 in the delays and RX config. A
 * score or a Gmin outside its range is null, too.
 */
export interface VoipMetricsBlock {
  readonly kind: 'voip-metrics';
  readonly ssrc: number;
  /** Fractions of 256, saturated at 255; 0 when unknown, too. */
  readonly lossRateQ8: number;
  readonly discardRateQ8: number;
  readonly burstDensityQ8: number;
  readonly gapDensityQ8: number;
  readonly burstDurationMs: number;
  readonly gapDurationMs: number;
  readonly roundTripDelayMs: number | null;
  readonly endSystemDelayMs: number | null;
  readonly signalLevelDbm: number | null;
  readonly noiseLevelDbm: number | null;
  readonly rerlDb: number | null;
  /** 1-255. */
  readonly gmin: number | null;
  /** 0-100. */
  readonly rFactor: number | null;
  readonly extRFactor: number | null;
  /** 1.0-5.0 in tenths. */
  readonly mosLq: number | null;
  readonly mosCq: number | null;
  /** Packet loss concealment: 1 disabled, 2 enhanced, 3 standard. */
  readonly plc: number | null;
  /** Jitter buffer: 2 fixed, 3 adaptive. */
  readonly jba: number | null;
  /** 1-15. */
  readonly jbRate: number | null;
  readonly jbNominalMs: number;
  readonly jbMaximumMs: number;
  readonly jbAbsMaxMs: number;
}

/** The ratio that a fraction of 256 stands for. */
export function q8ToRatio(q8: number): number {
  return q8 / Q8_ONE;
}

/** Whether a ratio, perhaps rounded to some decimals, is what a block shows as `q8`. */
export function ratioFitsQ8(ratio: number, q8: number): boolean {
  if (!(ratio >= 0 && ratio <= 1)) return false;
  return q8 === MAX_Q8 ? ratio * Q8_ONE > MAX_Q8 - 1 : Math.abs(ratio * Q8_ONE - q8) < 1;
}

/** A ratio as the block has it: a fraction of 256, saturated at 255. */
export function ratioToQ8(ratio: number): number {
  return Math.min(MAX_Q8, Math.max(0, Math.floor(ratio * Q8_ONE)));
}

/**
 * Reads the 32 bytes after the block's first word.
 * ```
 *  0 SSRC of source 4
 *  4 loss rate 1 | discard rate 1 | burst density 1 | gap density 1
 *  8 burst duration 2 | gap duration 2
 * 12 round trip delay 2 | end system delay 2
 * 16 signal level 1 | noise level 1 | RERL 1 | Gmin 1
 * 20 R factor 1 | ext. R factor 1 | MOS-LQ 1 | MOS-CQ 1
 * 24 RX config 1 (PLC 2 bits | JBA 2 | JB rate 4) | reserved 1 | JB nominal 2
 * 28 JB maximum 2 | JB abs max 2
 * ```
 */
export function decodeVoipMetrics(view: DataView, at: number): VoipMetricsBlock {
  const rxConfig = view.getUint8(at + 24);
  return {
    kind: 'voip-metrics',
    ssrc: view.getUint32(at),
    lossRateQ8: view.getUint8(at + 4),
    discardRateQ8: view.getUint8(at + 5),
    burstDensityQ8: view.getUint8(at + 6),
    gapDensityQ8: view.getUint8(at + 7),
    burstDurationMs: view.getUint16(at + 8),
    gapDurationMs: view.getUint16(at + 10),
    roundTripDelayMs: nullIf(0, view.getUint16(at + 12)),
    endSystemDelayMs: nullIf(0, view.getUint16(at + 14)),
    signalLevelDbm: nullIf(UNAVAILABLE, view.getInt8(at + 16)),
    noiseLevelDbm: nullIf(UNAVAILABLE, view.getInt8(at + 17)),
    rerlDb: nullIf(UNAVAILABLE, view.getUint8(at + 18)),
    gmin: nullIf(0, view.getUint8(at + 19)),
    rFactor: within(0, MAX_R, view.getUint8(at + 20)),
    extRFactor: within(0, MAX_R, view.getUint8(at + 21)),
    mosLq: readMos(view.getUint8(at + 22)),
    mosCq: readMos(view.getUint8(at + 23)),
    plc: nullIf(0, rxConfig >> 6),
    jba: nullIf(0, (rxConfig >> 4) & 0b11),
    jbRate: nullIf(0, rxConfig & 0b1111),
    jbNominalMs: view.getUint16(at + 26),
    jbMaximumMs: view.getUint16(at + 28),
    jbAbsMaxMs: view.getUint16(at + 30),
  };
}

/** Throws a RangeError when a value does not fit its field. */
export function encodeVoipMetrics(block: VoipMetricsBlock, out: ByteWriter): void {
  out
    .unsigned(block.ssrc, 4, 'ssrc')
    .unsigned(block.lossRateQ8, 1, 'loss_rate')
    .unsigned(block.discardRateQ8, 1, 'discard_rate')
    .unsigned(block.burstDensityQ8, 1, 'burst_density')
    .unsigned(block.gapDensityQ8, 1, 'gap_density')
    .unsigned(block.burstDurationMs, 2, 'burst_duration_ms')
    .unsigned(block.gapDurationMs, 2, 'gap_duration_ms')
    .unsigned(block.roundTripDelayMs ?? 0, 2, 'round_trip_delay_ms')
    .unsigned(block.endSystemDelayMs ?? 0, 2, 'end_system_delay_ms')
    .signed8(block.signalLevelDbm ?? UNAVAILABLE, 'signal_level_dbm')
    .signed8(block.noiseLevelDbm ?? UNAVAILABLE, 'noise_level_dbm')
    .unsigned(block.rerlDb ?? UNAVAILABLE, 1, 'rerl_db')
    .unsigned(checked(block.gmin, MIN_GMIN, MAX_BYTE, 'gmin'), 1, 'gmin')
    .unsigned(writeR(block.rFactor, 'r_factor'), 1, 'r_factor')
    .unsigned(writeR(block.extRFactor, 'ext_r_factor'), 1, 'ext_r_factor')
    .unsigned(writeMos(block.mosLq, 'mos_lq'), 1, 'mos_lq')
    .unsigned(writeMos(block.mosCq, 'mos_cq'), 1, 'mos_cq')
    .unsigned(packRxConfig(block), 1, 'rx_config')
    .unsigned(0, 1, 'reserved')
    .unsigned(block.jbNominalMs, 2, 'jb_nominal_ms')
    .unsigned(block.jbMaximumMs, 2, 'jb_maximum_ms')
    .unsigned(block.jbAbsMaxMs, 2, 'jb_abs_max_ms');
}

function packRxConfig({ plc, jba, jbRate }: VoipMetricsBlock): number {
  return (
    checked(plc ?? 0, 0, 3, 'plc') * 64 + checked(jba ?? 0, 0, 3, 'jba') * 16 + checked(jbRate ?? 0, 0, 15, 'jb_rate')
  );
}

function checked(value: number | null, least: number, most: number, name: string): number {
  if (value !== null && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(`${name} is ${value}; it must be a whole number from ${least} to ${most}.`);
}

function nullIf(unknown: number, value: number): number | null {
  return value === unknown ? null : value;
}

function within(least: number, most: number, value: number): number | null {
  return value >= least && value <= most ? value : null;
}

function writeR(r: number | null, name: string): number {
  return r === null ? UNAVAILABLE : checked(r, 0, MAX_R, name);
}

function readMos(tenths: number): number | null {
  return tenths >= MIN_MOS_TENTHS && tenths <= MAX_MOS_TENTHS ? tenths / MOS_SCALE : null;
}

/** A MOS in more than tenths is rounded. */
function writeMos(mos: number | null, name: string): number {
  if (mos === null) return UNAVAILABLE;
  const tenths = Math.round(mos * MOS_SCALE);
  if (tenths >= MIN_MOS_TENTHS && tenths <= MAX_MOS_TENTHS) return tenths;
  throw new RangeError(`${name} is ${mos}; it must be from 1 to 5.`);
}
