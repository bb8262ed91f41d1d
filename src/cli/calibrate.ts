import type { Command } from 'commander';
import type { CalibrationOutcome } from '../app/calibrate.ts';
import { DEFAULT_SETTINGS_PATH } from '../config/read-settings.ts';
import type { FittedNumbers } from '../score/profile-fit.ts';
import { DONE, WRONG_USAGE, fail } from './exit-status.ts';
import { writeOut } from './output.ts';

interface CalibrateWords {
  readonly from?: string;
  readonly to?: string;
  readonly config?: string;
  readonly json?: boolean;
}

export function addCalibrate(program: Command, finish: (status: number) => void): void {
  program
    .command('calibrate')
    .description('holds the scores against what people said of their calls; changes nothing')
    .option('--from <time>', 'only ratings that came then or later: ISO 8601, or -1h')
    .option('--to <time>', 'only ratings that came before')
    .option('--json', 'one JSON document')
    .option('--config <file>', `settings (default: ${DEFAULT_SETTINGS_PATH})`)
    .action(async (words: CalibrateWords) => finish(await run(words)));
}

async function run(words: CalibrateWords): Promise<number> {
  // Loaded when needed, as the other commands do.
  const [{ momentMs, parseMoment }, { readOfflineSettings }, { calibrateHistory }] = await Promise.all([
    import('../units/moment.ts'),
    import('../config/read-settings.ts'),
    import('../app/calibrate.ts'),
  ]);
  const nowMs = Date.now();
  const range = { fromMs: undefined as number | undefined, toMs: undefined as number | undefined };
  for (const name of ['from', 'to'] as const) {
    const text = words[name];
    if (text === undefined) continue;
    const moment = parseMoment(text);
    if (moment === undefined)
      return fail(
        `--${name}: give an ISO 8601 time such as 2026-11-20T10:00:00Z, or -1h, -30m, -7d, -45s`,
        WRONG_USAGE,
      );
    range[`${name}Ms`] = momentMs(moment, nowMs);
  }
  if (range.fromMs !== undefined && range.toMs !== undefined && range.fromMs > range.toMs)
    return fail('--from is later than --to; give an earlier time', WRONG_USAGE);
  try {
    const outcome = calibrateHistory(await readOfflineSettings(words.config, process.env), range);
    const text = words.json === true ? `${JSON.stringify(calibrationJson(outcome))}\n` : calibrationText(outcome);
    await writeOut([text]);
    return DONE;
  } catch (error) {
    return fail(error);
  }
}

/** The names of `[profile:custom]`. */
const KEYS = {
  baseR: 'base_r',
  rttFactor: 'rtt_factor',
  jitterFactor: 'jitter_factor',
  lossFactor: 'loss_factor',
} as const satisfies Record<keyof FittedNumbers, string>;

/** The lines for mes.conf; null: nothing to change. */
function sectionOf({ fit }: CalibrationOutcome): string | null {
  if (fit.kind !== 'fitted') return null;
  const lines = fit.changed.map((name) => `${KEYS[name]} = ${fit.numbers[name]}`);
  return ['[general]', 'profile = custom', '', '[profile:custom]', ...lines].join('\n');
}

/** As `--json` prints it. */
export function calibrationJson(outcome: CalibrationOutcome): object {
  const { ratings, asked, byThemselves, effectiveRatings, complaintRatio, predictors, fit } = outcome;
  return {
    ratings,
    asked,
    by_themselves: byThemselves,
    effective_ratings: effectiveRatings,
    complaint_ratio: complaintRatio,
    predictors: predictors.map(({ name, ratings: known, correlation, complaintsAbove, bestThreshold }) => ({
      name,
      ratings: known,
      correlation,
      complaints_above: complaintsAbove.map(({ threshold, complaintRatio: ratio }) => ({
        threshold,
        complaint_ratio: ratio,
      })),
      best_threshold:
        bestThreshold === null
          ? null
          : {
              threshold: bestThreshold.threshold,
              complaints_found: bestThreshold.complaintsFound,
              others_spared: bestThreshold.othersSpared,
            },
    })),
    fit: {
      kind: fit.kind,
      ...(fit.kind === 'too-few' ? { needed: fit.needed } : {}),
      ...(fit.kind === 'fitted'
        ? {
            numbers: Object.fromEntries(
              Object.entries(KEYS).map(([name, key]) => [key, fit.numbers[name as keyof FittedNumbers]]),
            ),
            changed: fit.changed.map((name) => KEYS[name]),
            error_opinion: fit.errorOpinion,
            documented_error_opinion: fit.documentedErrorOpinion,
            section: sectionOf(outcome),
          }
        : {}),
    },
  };
}

/** At most 80 columns. */
export function calibrationText(outcome: CalibrationOutcome): string {
  const { ratings, asked, byThemselves, effectiveRatings, complaintRatio, predictors, fit } = outcome;
  if (ratings === 0) return 'Nobody rated a call of that time. [ratings] in mes.conf has people asked.\n';
  const lines = [
    `${ratings} ratings: ${asked} of people whom we asked, ${byThemselves} that came by themselves.`,
    `By their weights they tell as much as ${Math.round(effectiveRatings)} equal ones.`,
    `${percent(complaintRatio)} are complaints (1 or 2).`,
    '',
    'rho: how well a score orders calls as people do (1 as they do, 0 not at all).',
    'complaints: their share among calls with that score or a better one.',
    '',
    `${'score'.padEnd(24)}${'rho'.padEnd(21)}complaints at or above`,
  ];
  for (const { name, correlation, complaintsAbove, bestThreshold } of predictors) {
    const rho =
      correlation === null
        ? 'too few'
        : `${correlation.rho.toFixed(2)} (${correlation.low.toFixed(2)} to ${correlation.high.toFixed(2)})`;
    const shares = complaintsAbove.map(({ threshold, complaintRatio: ratio }) => `${threshold}: ${percent(ratio)}`);
    lines.push(`${name.padEnd(24)}${rho.padEnd(21)}${shares.join('  ')}`);
    if (bestThreshold !== null) {
      const { threshold, complaintsFound, othersSpared } = bestThreshold;
      lines.push(
        `  below ${threshold.toFixed(2)} lie ${percent(complaintsFound)} of the complaints and ${percent(1 - othersSpared)} of the others`,
      );
    }
  }
  lines.push('', ...fitLines(outcome, fit));
  return `${lines.join('\n')}\n`;
}

function fitLines(outcome: CalibrationOutcome, fit: CalibrationOutcome['fit']): string[] {
  if (fit.kind === 'too-few')
    return [`Too few to say which numbers of [profile:custom] would fit better: ${fit.needed} are needed.`];
  if (fit.kind === 'no-relation')
    return [
      'What was measured does not explain what people said; no numbers would.',
      'Look at their issues: echo, level and noise are not measured.',
    ];
  if (fit.kind === 'documented') return ['The documented profile fits as well as any numbers would.'];
  return [
    `These numbers fit better: ${fit.errorOpinion.toFixed(2)} of the scale off, where documented is`,
    `${fit.documentedErrorOpinion.toFixed(2)} off (of calls that the fit had not seen). For mes.conf:`,
    '',
    sectionOf(outcome) ?? '',
  ];
}

function percent(ratio: number | null): string {
  return ratio === null ? '-' : `${Math.round(ratio * 100)} %`;
}
