import type { DoctorFacts, ReporterFacts } from './facts.ts';
import { addLines, type Finding, findingsOf } from './finding.ts';

/** One call with unusable reports may be chance. */
const FEWEST_CALLS = 3;
/** How many names a sentence shows. */
const NAMES_SHOWN = 5;

/** Whether phones report on the stream that we send them. */
export function checkReportBlocks({ reporters, settings }: DoctorFacts): Finding {
  const { ok, warning, unknown } = findingsOf(
    'report-blocks',
    'After a transfer or a queue these phones report on the stream before, and Asterisk shows only that: how our audio arrives there is not known. The packets themselves have both.',
  );
  if (reporters === null) return unknown('The history cannot be read by the user that runs doctor; run it as root.');
  if (reporters.length === 0) return ok('No reports of the last 7 days are stored yet.');
  const bad = reporters.filter(({ unusableCalls }) => unusableCalls >= FEWEST_CALLS);
  if (bad.length === 0) return ok('Reports of phones and trunks in the last 7 days are about what was sent to them.');
  const worst = bad.toSorted((one, other) => shareOf(other) - shareOf(one));
  const names = worst
    .slice(0, NAMES_SHOWN)
    .map(({ endpoint, unusableCalls, calls }) => `${endpoint} (${unusableCalls} of ${calls} calls)`);
  const rest = bad.length > NAMES_SHOWN ? ` and ${bad.length - NAMES_SHOWN} more` : '';
  const saw = `Most reports of these were about another stream than ours: ${names.join(', ')}${rest}.`;
  if (settings.captures) return warning(`${saw} Live capture is on, so this can be of the time before.`);
  return warning(saw, [
    addLines(
      settings.file,
      'capture',
      undefined,
      ['enabled = yes'],
      'give it the right to capture, and restart asterisk-mes',
    ),
  ]);
}

function shareOf({ unusableCalls, calls }: ReporterFacts): number {
  return unusableCalls / calls;
}
