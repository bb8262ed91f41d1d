import { checkAmi, checkClasses, checkEventFilter, checkOtherClients, checkWriteTimeout } from './ami-checks.ts';
import { checkCdr, checkEndBeforeHExten } from './cdr-checks.ts';
import { checkFastAgi, checkHangupHandler } from './dialplan-checks.ts';
import type { DoctorFacts } from './facts.ts';
import { CHECK_IDS, type Finding, findingsOf } from './finding.ts';
import { leaveToFreePbx } from './freepbx.ts';
import { checkDialOptions, checkFreePbxChown, checkFreePbxHandler } from './freepbx-checks.ts';
import { checkAri, checkClock, checkDisk, checkNode, checkSidecar, checkTimeZone } from './host-checks.ts';
import { checkReportBlocks } from './report-checks.ts';
import { checkDirectMedia, checkRtcpInterval, checkSipDirectMedia, checkVersion } from './media-checks.ts';

const SETTINGS_WHY = 'Without them the sidecar does not start. asterisk-mes setup writes those that are missing.';

/** Examines an installation. Findings come in the order of `CHECK_IDS`. A module that is not loaded has no finding. */
export function examine(facts: DoctorFacts): Finding[] {
  const findings = [
    checkSettings(facts),
    checkNode(facts),
    checkAmi(facts),
    checkClasses(facts),
    checkEventFilter(facts),
    checkWriteTimeout(facts),
    checkOtherClients(facts),
    checkVersion(facts),
    checkRtcpInterval(facts),
    checkDirectMedia(facts),
    checkSipDirectMedia(facts) ?? [],
    checkReportBlocks(facts),
    facts.isFreePbx ? checkFreePbxHandler(facts) : checkHangupHandler(facts),
    facts.isFreePbx ? checkDialOptions(facts) : [],
    facts.isFreePbx ? checkFreePbxChown(facts) : [],
    checkFastAgi(facts),
    checkCdr(facts),
    checkEndBeforeHExten(facts),
    checkAri(facts),
    checkClock(facts),
    checkTimeZone(facts),
    checkDisk(facts),
    checkSidecar(facts),
  ].flat();
  const accepted = findings.map((finding) => accept(finding, facts.settings.accepted));
  return facts.isFreePbx ? leaveToFreePbx(accepted) : accepted;
}

function checkSettings({ settings }: DoctorFacts): Finding {
  const { ok, warning } = findingsOf('settings', SETTINGS_WHY);
  const known: readonly string[] = CHECK_IDS;
  const unknown = settings.accepted.filter((id) => !known.includes(id));
  if (unknown.length === 0) return ok('The settings are complete and allowed.');
  return warning(`[doctor] accept names ${unknown.join(', ')}, and there is no such check: ${known.join(', ')}.`);
}

/** The settings accept this finding: it is shown, and does not change the exit status. */
function accept(finding: Finding, accepted: readonly string[]): Finding {
  const isBad = finding.status === 'warning' || finding.status === 'problem';
  return isBad && accepted.includes(finding.id) ? { ...finding, status: 'accepted', changes: [] } : finding;
}

/** The report when the settings are wrong: nothing that depends on them can be looked at. */
export function examineWithoutSettings(problems: readonly string[], nodeVersion: string): Finding[] {
  const node = checkNode({ nodeVersion });
  return CHECK_IDS.filter((id) => !isOfOneModule(id)).flatMap((id) => {
    if (id === 'node') return node;
    const { problem, unknown } = findingsOf(id, SETTINGS_WHY);
    return id === 'settings'
      ? problems.map((sentence) => problem(sentence.endsWith('?') ? sentence : `${sentence}.`))
      : unknown('Mend the settings first.');
  });
}

function isOfOneModule(id: string): boolean {
  return (
    id === 'direct-media-sip' || id.startsWith('freepbx-') || (id.startsWith('cdr-') && id !== 'cdr-endbeforehexten')
  );
}
