import { fisherExact } from '../../stats/fisher-exact.ts';
import type { StudyDatabase } from './database.ts';

/** Cohorts of fewer installations are left out: one installation might be recognised, or make up most of the cohort. */
export const LEAST_INSTALLATIONS = 10;
/** Significance level over all comparisons of the study together (Bonferroni). */
const SIGNIFICANT = 0.05;
const P5 = 0.05;

export const DIMENSIONS = {
  device: "device_make || coalesce(' ' || device_model, '')",
  firmware: "device_make || coalesce(' ' || device_model, '') || ' ' || device_firmware",
  codec: 'codec',
  transport: 'transport',
  network: 'network',
  release: 'asterisk',
  hour: "substr(hour, 12, 2) || ':00'",
} as const;
export type Dimension = keyof typeof DIMENSIONS;

export interface Cohort {
  readonly value: string;
  readonly installations: number;
  readonly calls: number;
  /** The 5th percentile of the score; null: no leg had one. */
  readonly mes_p5: number | null;
  readonly bad_percent: number | null;
  /** The same share of all other legs for which this dimension is known. */
  readonly bad_percent_rest: number | null;
  readonly rating_mean: number | null;
  readonly ratings: number;
  /** Probability of the difference in bad calls by chance alone; null: nothing to compare with. */
  readonly p_value: number | null;
  /** Null: nothing to compare with. */
  readonly judgement: 'worse' | 'better' | 'chance' | null;
}

export interface DimensionStudy {
  readonly dimension: Dimension;
  readonly cohorts: readonly Cohort[];
  /** Cohorts of fewer than ten installations. */
  readonly cohorts_left_out: number;
}

export interface Study {
  readonly legs: number;
  readonly installations: number;
  readonly ratings: number;
  readonly dimensions: readonly DimensionStudy[];
}

interface LegRow {
  readonly installation: string;
  readonly month: string;
  readonly value: string;
  readonly mes: number | null;
  readonly verdict: string | null;
  readonly rating: number | null;
}

interface Group {
  readonly installations: Map<string, Set<string>>;
  readonly scores: number[];
  readonly ratings: number[];
  calls: number;
  judged: number;
  bad: number;
}

const BAD: ReadonlySet<string> = new Set(['bad', 'no-media', 'one-way-rx', 'one-way-tx']);
/** Verdicts that say nothing about quality. */
const NOT_JUDGED: ReadonlySet<string> = new Set(['too-short', 'no-rtcp']);

/** Compares each cohort of each dimension with all other legs. */
export function studyOf(database: StudyDatabase): Study {
  const grouped = (Object.keys(DIMENSIONS) as Dimension[]).map((dimension) => {
    const groups = groupsOf(database.all<LegRow>(legsBy(dimension)));
    const shown = [...groups].filter(([, group]) => installationsOf(group) >= LEAST_INSTALLATIONS);
    return { dimension, groups, shown };
  });
  const comparisons = grouped.reduce((sum, { shown }) => sum + shown.length, 0);
  const everyone = groupsOf(
    database.all<LegRow>(
      "SELECT installation, substr(hour, 1, 7) AS month, '' AS value, NULL AS mes, NULL AS verdict, NULL AS rating FROM legs",
    ),
  ).get('');
  const [{ ratings } = { ratings: 0 }] = database.all<{ readonly ratings: number }>(
    'SELECT count(*) AS ratings FROM ratings',
  );
  return {
    legs: everyone?.calls ?? 0,
    installations: everyone === undefined ? 0 : installationsOf(everyone),
    ratings,
    dimensions: grouped.map(({ dimension, groups, shown }) => ({
      dimension,
      cohorts: shown
        .map(([value, group]) => cohortOf(value, group, [...groups.values()], comparisons))
        .sort((a, b) => (b.bad_percent ?? -1) - (a.bad_percent ?? -1)),
      cohorts_left_out: groups.size - shown.length,
    })),
  };
}

/** SQL for the legs with a dimension's value. A rating is about the whole call, so it counts for each leg. */
function legsBy(dimension: Dimension): string {
  return `SELECT installation, substr(hour, 1, 7) AS month, value, mes, verdict,
      (SELECT avg(score) FROM ratings WHERE ratings.call = legs_of.call AND ratings.installation = legs_of.installation) AS rating
    FROM (SELECT *, ${DIMENSIONS[dimension]} AS value FROM legs) AS legs_of WHERE value IS NOT NULL`;
}

function groupsOf(rows: readonly LegRow[]): Map<string, Group> {
  const groups = new Map<string, Group>();
  for (const { installation, month, value, mes, verdict, rating } of rows) {
    let group = groups.get(value);
    if (group === undefined) {
      group = { installations: new Map(), scores: [], ratings: [], calls: 0, judged: 0, bad: 0 };
      groups.set(value, group);
    }
    const ofMonth = group.installations.get(month) ?? new Set<string>();
    group.installations.set(month, ofMonth.add(installation));
    group.calls += 1;
    if (mes !== null) group.scores.push(mes);
    if (rating !== null) group.ratings.push(rating);
    if (verdict === null || NOT_JUDGED.has(verdict)) continue;
    group.judged += 1;
    if (BAD.has(verdict)) group.bad += 1;
  }
  return groups;
}

/** Number of installations, as the largest of any month, since their names change each month. */
function installationsOf({ installations }: Group): number {
  return Math.max(0, ...[...installations.values()].map(({ size }) => size));
}

function cohortOf(value: string, group: Group, all: readonly Group[], comparisons: number): Cohort {
  const rest = all.filter((other) => other !== group);
  const restJudged = rest.reduce((sum, { judged }) => sum + judged, 0);
  const restBad = rest.reduce((sum, { bad }) => sum + bad, 0);
  const isComparable = group.judged > 0 && restJudged > 0;
  const pValue = isComparable ? fisherExact(group.bad, group.judged, restBad, restJudged) : null;
  const isSure = pValue !== null && pValue * comparisons < SIGNIFICANT;
  const isWorse = group.bad * restJudged > restBad * group.judged;
  return {
    value,
    installations: installationsOf(group),
    calls: group.calls,
    mes_p5: quantile(group.scores, P5),
    bad_percent: percent(group.bad, group.judged),
    bad_percent_rest: percent(restBad, restJudged),
    rating_mean: mean(group.ratings),
    ratings: group.ratings.length,
    p_value: pValue,
    judgement: pValue === null ? null : isSure ? (isWorse ? 'worse' : 'better') : 'chance',
  };
}

/** A quantile by nearest rank; null when there are no values. */
function quantile(values: readonly number[], share: number): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
}

function percent(part: number, whole: number): number | null {
  return whole === 0 ? null : Number(((part / whole) * 100).toFixed(2));
}

function mean(values: readonly number[]): number | null {
  return values.length === 0
    ? null
    : Number((values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(2));
}
