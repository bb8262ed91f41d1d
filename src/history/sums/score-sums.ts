import type { Contribution } from './contribution.ts';
import type { Row } from '../schema/rows.ts';

/** Scores are counted as they are shown, in hundredths; the scale ends at 4.50. */
const HUNDREDTHS = 512;

/** What adds up over calls: whole numbers all, so that what was added can be taken away without a trace. */
interface Additive {
  calls: number;
  judged: number;
  bad: number;
  /** Calls whose fault lies with the legs that are summed. */
  ownFaults: number;
  /** The sum of the known scores, in millionths. */
  mesMicro: number;
  packetsLost: number;
  packetsExpected: number;
  /** Means times reports. */
  jitterUs: number;
  jitterReports: number;
  rttUs: number;
  rttReports: number;
}

/** The columns of what adds up, in the order of `Additive`. */
export const SUM_COLUMNS = [
  ['calls', 'calls'],
  ['judged', 'judged'],
  ['bad', 'bad'],
  ['ownFaults', 'own_faults'],
  ['mesMicro', 'mes_micro'],
  ['packetsLost', 'packets_lost'],
  ['packetsExpected', 'packets_expected'],
  ['jitterUs', 'jitter_us'],
  ['jitterReports', 'jitter_reports'],
  ['rttUs', 'rtt_us'],
  ['rttReports', 'rtt_reports'],
] as const satisfies readonly (readonly [keyof Additive, string])[];

/** How many calls there were of each score, and what else adds up. Below zero in a sum that is taken off others. */
export class ScoreSums implements Additive {
  calls = 0;
  judged = 0;
  bad = 0;
  ownFaults = 0;
  mesMicro = 0;
  packetsLost = 0;
  packetsExpected = 0;
  jitterUs = 0;
  jitterReports = 0;
  rttUs = 0;
  rttReports = 0;
  /** Calls with the score that is the index, in hundredths. */
  readonly scores = new Int32Array(HUNDREDTHS);

  /** Adds one call; `times` -1 takes it away again. */
  addCall({ times: sign, mes, isJudged, isBad, isOwnFault, streams }: Contribution, times: 1 | -1): void {
    const by = sign * times;
    this.calls += by;
    this.judged += by * Number(isJudged);
    this.bad += by * Number(isBad);
    this.ownFaults += by * Number(isOwnFault);
    if (mes !== null) {
      this.mesMicro += by * Math.round(mes * 1e6);
      this.#count(Math.round(mes * 100), by);
    }
    for (const { packetsLost, packetsExpected, ...stream } of streams) {
      if (packetsLost !== null && packetsExpected !== null) {
        this.packetsLost += by * packetsLost;
        this.packetsExpected += by * packetsExpected;
      }
      this.jitterUs += by * Math.round((stream.jitterMeanMs ?? 0) * stream.jitterReports * 1000);
      this.jitterReports += by * stream.jitterReports;
      this.rttUs += by * Math.round((stream.rttMeanMs ?? 0) * stream.rttReports * 1000);
      this.rttReports += by * stream.rttReports;
    }
  }

  /** Adds others, which stay as they are. */
  add(other: ScoreSums): void {
    for (const [name] of SUM_COLUMNS) this[name] += other[name];
    for (let hundredths = 0; hundredths < HUNDREDTHS; hundredths++) {
      this.scores[hundredths] = (this.scores[hundredths] ?? 0) + (other.scores[hundredths] ?? 0);
    }
  }

  /** Calls with a score of at most this. */
  callsUpTo(mes: number): number {
    const highest = Math.round(mes * 100);
    return this.scores.reduce((sum, calls, hundredths) => sum + (hundredths <= highest ? calls : 0), 0);
  }

  /** Adds a stored row of sums, all but its scores. */
  addRow(row: Row, times: 1 | -1): void {
    for (const [name, column] of SUM_COLUMNS) this[name] += times * Number(row[column]);
  }

  /** Adds a number of calls to each score, in hundredths. */
  addScores(hundredths: readonly number[], calls: readonly number[]): void {
    for (const [index, score] of hundredths.entries()) this.#count(score, calls[index] ?? 0);
  }

  /** Adds scores as `packScores` made them, or several of those in a row. */
  addPacked(packed: Uint8Array, times: 1 | -1): void {
    let at = 0;
    const next = (): number => {
      let value = 0;
      for (let unit = 1; ; unit *= 128) {
        const byte = packed[at++] ?? 0;
        value += (byte & 127) * unit;
        if (byte < 128) return value;
      }
    };
    while (at < packed.length) {
      const hundredths = next();
      const folded = next();
      this.#count(hundredths, times * (folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2));
    }
  }

  /**
   * The scores that occur, two numbers each, in bytes of seven bits that say whether another follows: hundredths, and
   * calls folded (0, -1, 1, -2 … are 0, 1, 2, 3 …). Put one behind the other, two such rows are the row of their sum.
   */
  packScores(): Uint8Array {
    const packed: number[] = [];
    const put = (value: number): void => {
      let left = value;
      for (; left >= 128; left = Math.floor(left / 128)) packed.push((left % 128) + 128);
      packed.push(left);
    };
    for (let hundredths = 0; hundredths < HUNDREDTHS; hundredths++) {
      const calls = this.scores[hundredths] ?? 0;
      if (calls === 0) continue;
      put(hundredths);
      put(calls > 0 ? calls * 2 : -calls * 2 - 1);
    }
    return Uint8Array.from(packed);
  }

  /** Everything but the scores, by the names of the columns. */
  toRow(): Row {
    return Object.fromEntries(SUM_COLUMNS.map(([name, column]) => [column, this[name]]));
  }

  #count(hundredths: number, calls: number): void {
    const cell = Math.min(Math.max(hundredths, 0), HUNDREDTHS - 1);
    this.scores[cell] = (this.scores[cell] ?? 0) + calls;
  }
}
