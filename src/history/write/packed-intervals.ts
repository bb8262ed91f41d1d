import type { IntervalRecord } from '../../model/record.ts';
import { NumberPool } from './number-pool.ts';
import { numberOf, TextTable } from './packing.ts';
import { type Cell, INTERVAL_COLUMNS } from '../schema/rows.ts';

/** Cells of an interval. */
const WIDTH = INTERVAL_COLUMNS.names.length;
/** A piece of this many is closed, so that nothing has to grow; some 70 KB. */
export const PIECE_INTERVALS = 250;

/** What the table does not take without. */
const REQUIRED_COLUMNS = [
  'uniqueid',
  'direction',
  'reporter',
  'report_number',
  'at_ms',
  'kind',
  'clock_rate_hz',
  'duplicates',
  'covers_reports',
  'profile',
].map((name) => ({ name, place: INTERVAL_COLUMNS.names.indexOf(name) }));

/** How rows of packed intervals are to be read: the columns in their order, and which of them are places of texts. */
export interface IntervalLayout {
  readonly columns: readonly string[];
  readonly texts: readonly string[];
}

/** That of this release. */
export const INTERVAL_LAYOUT: IntervalLayout = {
  columns: INTERVAL_COLUMNS.names,
  texts: INTERVAL_COLUMNS.names.filter((_, column) => INTERVAL_COLUMNS.isText[column]),
};

/** Some intervals, one after the other, in numbers alone: as objects they would live until the commit, and cost the collector. */
export interface PackedIntervals {
  /** The cells of `INTERVAL_COLUMNS`, in their order: a number, the place of a text in `texts`, or NaN for null. */
  readonly values: Float64Array;
  readonly texts: readonly string[];
}

/** Packs intervals one by one; nothing of them is kept but numbers and texts. */
export class IntervalPacker {
  readonly #pool = new NumberPool(PIECE_INTERVALS * WIDTH);
  #values = this.#pool.take();
  #length = 0;
  readonly #texts = new TextTable();

  get count(): number {
    return this.#length / WIDTH;
  }

  get isFull(): boolean {
    return this.#length === this.#values.length;
  }

  /** Not to be called when it is full. Each cell by name: a loop over the columns would take several times as long. */
  add(interval: IntervalRecord): void {
    const values = this.#values;
    const texts = this.#texts;
    let at = this.#length;
    values[at++] = texts.placeOf(interval.uniqueid);
    values[at++] = texts.placeOf(interval.direction);
    values[at++] = texts.placeOf(interval.reporter);
    values[at++] = numberOf(interval.reportNumber);
    values[at++] = numberOf(interval.channelReportNumber);
    values[at++] = Math.round(numberOf(interval.beganAtMs));
    values[at++] = Math.round(numberOf(interval.atMs));
    values[at++] = texts.placeOf(interval.kind);
    values[at++] = numberOf(interval.ssrc);
    values[at++] = numberOf(interval.fractionLostQ8);
    values[at++] = numberOf(interval.cumulativeLostPackets);
    values[at++] = numberOf(interval.extendedHighestSequence);
    values[at++] = numberOf(interval.jitterTicks);
    values[at++] = texts.placeOf(interval.codec);
    values[at++] = numberOf(interval.clockRateHz);
    values[at++] = texts.placeOf(interval.clockRateSource);
    values[at++] = numberOf(interval.lsrNtp32);
    values[at++] = numberOf(interval.dlsrS);
    values[at++] = numberOf(interval.senderPackets);
    values[at++] = numberOf(interval.rttMs);
    values[at++] = numberOf(interval.jitterMs);
    values[at++] = numberOf(interval.packetsExpected);
    values[at++] = numberOf(interval.packetsLost);
    values[at++] = numberOf(interval.duplicates);
    values[at++] = numberOf(interval.latePackets);
    values[at++] = numberOf(interval.lossPercent);
    values[at++] = numberOf(interval.coversReports);
    values[at++] = numberOf(interval.effectiveLatencyMs);
    values[at++] = numberOf(interval.rValue);
    values[at++] = numberOf(interval.mes);
    values[at++] = numberOf(interval.mesRunning);
    values[at++] = numberOf(interval.nativeMes100);
    values[at++] = numberOf(interval.sentNtpS);
    values[at++] = numberOf(interval.sentRtpTicks);
    values[at++] = numberOf(interval.sentPackets);
    values[at++] = numberOf(interval.sentOctets);
    values[at++] = numberOf(interval.sentSsrc);
    values[at++] = texts.placeOf(interval.profile);
    this.#length = at;
  }

  /** What was added since the last time. */
  take(): PackedIntervals {
    const piece = { values: this.#values.subarray(0, this.#length), texts: this.#texts.take() };
    this.#values = this.#pool.take();
    this.#length = 0;
    return piece;
  }

  /** Pieces that are committed; nobody may look at them any more. */
  giveBack(pieces: readonly PackedIntervals[]): void {
    this.#pool.giveBack(pieces);
  }
}

/** How many they are. */
export function countOf({ values }: PackedIntervals): number {
  return values.length / WIDTH;
}

/** Without the first `count`. */
export function withoutFirst(piece: PackedIntervals, count: number): PackedIntervals {
  return count === 0 ? piece : { values: piece.values.subarray(count * WIDTH), texts: piece.texts };
}

/** Without those that lack a column that every interval has, which the database would never take; and the name of that column. */
export function withoutBroken(piece: PackedIntervals): {
  readonly whole: PackedIntervals;
  readonly lacking: string | null;
} {
  const { values, texts } = piece;
  let lacking: string | null = null;
  const good: number[] = [];
  for (let start = 0; start < values.length; start += WIDTH) {
    const missing = REQUIRED_COLUMNS.find(({ place }) => Number.isNaN(values[start + place]));
    if (missing === undefined) good.push(start);
    else lacking = missing.name;
  }
  if (lacking === null) return { whole: piece, lacking };
  const rows = new Float64Array(good.length * WIDTH);
  for (const [index, start] of good.entries()) rows.set(values.subarray(start, start + WIDTH), index * WIDTH);
  return { whole: { values: rows, texts }, lacking };
}

/** Row after row the cells of `INTERVAL_COLUMNS`. */
export function* unpackIntervals({ values, texts }: PackedIntervals): Generator<Cell[]> {
  for (let start = 0; start < values.length; start += WIDTH) {
    yield INTERVAL_COLUMNS.isText.map((isText, column) => {
      const value = values[start + column] ?? Number.NaN;
      if (Number.isNaN(value)) return null;
      return isText ? (texts[value] ?? null) : value;
    });
  }
}
