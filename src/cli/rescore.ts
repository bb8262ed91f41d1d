import { type Command, Option } from 'commander';
import type { RescoreOutcome } from '../app/rescore.ts';
import { DEFAULT_SETTINGS_PATH } from '../config/read-settings.ts';
import { PROFILE_NAMES, type ProfileName } from '../model/score.ts';
import { DONE, WRONG_USAGE, fail } from './exit-status.ts';

interface RescoreWords {
  readonly profile: ProfileName;
  readonly from?: string;
  readonly to?: string;
  readonly config?: string;
}

export function addRescore(program: Command, finish: (status: number) => void): void {
  program
    .command('rescore')
    .description('the history: scores its calls again by another profile')
    .addOption(new Option('--profile <name>', 'by which').choices(PROFILE_NAMES).makeOptionMandatory())
    .option('--from <time>', 'only calls that began then or later: ISO 8601, or -1h')
    .option('--to <time>', 'only calls that began before')
    .option('--config <file>', `settings (default: ${DEFAULT_SETTINGS_PATH})`)
    .action(async (words: RescoreWords) => finish(await rescore(words)));
}

async function rescore(words: RescoreWords): Promise<number> {
  // Loaded when needed, as the other commands do.
  const [{ momentMs, parseMoment }, { readOfflineSettings }, { rescoreHistory }, { VERSION }] = await Promise.all([
    import('../units/moment.ts'),
    import('../config/read-settings.ts'),
    import('../app/rescore.ts'),
    import('../app/version.ts'),
  ]);
  const nowMs = Date.now();
  const bounds = { from: null as number | null, to: null as number | null };
  for (const name of ['from', 'to'] as const) {
    const text = words[name];
    if (text === undefined) continue;
    const moment = parseMoment(text);
    if (moment === undefined) {
      return fail(
        `--${name}: give an ISO 8601 time such as 2026-11-20T10:00:00Z, or -1h, -30m, -7d, -45s`,
        WRONG_USAGE,
      );
    }
    bounds[name] = momentMs(moment, nowMs);
  }
  if (bounds.from !== null && bounds.to !== null && bounds.from > bounds.to) {
    return fail('--from is later than --to; give an earlier time', WRONG_USAGE);
  }
  try {
    const outcome = await rescoreHistory({
      settings: await readOfflineSettings(words.config, process.env),
      profile: words.profile,
      rangeText: JSON.stringify([words.from ?? null, words.to ?? null]),
      fromMs: bounds.from,
      toMs: bounds.to,
      nowMs,
      onProgress: showProgress(),
    });
    process.stdout.write(`${sentenceOf(outcome, words.profile, VERSION)}\n`);
    return DONE;
  } catch (error) {
    return fail(error);
  }
}

/** One sentence: what was scored again by which profile, and what stayed as it was and why. */
function sentenceOf({ began, rescored, expired, tooRecent }: RescoreOutcome, profile: string, version: string): string {
  const went = began === 'resumed' ? ', going on where an interrupted run had stopped' : '';
  const gaveUp = began === 'replaced' ? ', in place of another run that was never finished' : '';
  const done = `Rescored ${calls(rescored)} by profile ${profile} (asterisk-mes ${version})${went}${gaveUp}`;
  const reasons = [
    expired === 0 ? [] : `${expired} whose reports have expired`,
    tooRecent === 0 ? [] : `${tooRecent} that had not ended two minutes ago`,
  ].flat();
  if (reasons.length === 0) return `${done}; none was left as it was.`;
  return `${done}; left ${calls(expired + tooRecent)} as they were: ${reasons.join(', ')}.`;
}

function calls(count: number): string {
  return count === 1 ? '1 call' : `${count} calls`;
}

/** Shows progress on a terminal. */
function showProgress(): (done: number, total: number) => void {
  if (!process.stderr.isTTY) return () => undefined;
  return (done, total) => process.stderr.write(`\r${done} of ${calls(total)}${done < total ? ' …' : '\n'}`);
}
