/**
 * Where a band of lengths begins, seconds. They are part of an index's definition: never change them, make another index. People
 * ask from such lengths on; a length between two is looked for in its whole band.
 */
const BEGINNINGS_S = [1, 3, 10, 30, 60, 120, 180, 300, 600, 1200, 1800, 3600, 7200, 14_400, 28_800] as const;
const MS_PER_S = 1000;

/** The number of the band in which a length of so many milliseconds lies, 0 for the shortest calls. */
export function bandOf(lengthMs: number): number {
  return BEGINNINGS_S.filter((beginningS) => lengthMs >= beginningS * MS_PER_S).length;
}

/** The same in SQL, of an expression in milliseconds. */
export function lengthBand(sql: string): string {
  const cases = BEGINNINGS_S.map((beginningS, band) => `WHEN ${sql} < ${beginningS * MS_PER_S} THEN ${band}`);
  return `CASE ${cases.join(' ')} ELSE ${BEGINNINGS_S.length} END`;
}
