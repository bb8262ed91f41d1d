import type { DoctorReport } from '../doctor/gather/diagnose.ts';
import type { Change, Finding, Status } from '../doctor/finding.ts';

const WORD: Readonly<Record<Status, string>> = {
  ok: 'ok',
  warning: 'WARNING',
  problem: 'PROBLEM',
  unknown: 'unknown',
};
const STATUS_WIDTH = 9;

/** The report for people: one line per check, followed by what to change. */
export function doctorText({ findings }: DoctorReport): string {
  const idWidth = Math.max(...findings.map(({ id }) => id.length)) + 2;
  const indent = ' '.repeat(STATUS_WIDTH + idWidth);
  const blocks = findings.map((finding) => {
    const head = `${WORD[finding.status].padEnd(STATUS_WIDTH)}${finding.id.padEnd(idWidth)}${finding.saw}`;
    return [head, ...details(finding).map((line) => `${indent}${line}`)].join('\n');
  });
  return `${blocks.join('\n')}\n\n${summary(findings)}\n`;
}

function details({ status, why, changes }: Finding): string[] {
  if (status === 'ok') return [];
  return [...(status === 'unknown' ? [] : [`Why: ${why}`]), ...changes.flatMap(changeLines)];
}

function changeLines({ file, section, action, line, was, lines, afterwards }: Change): string[] {
  const at = `${file ?? ''}${line === null || action === 'add' ? '' : ` line ${line}`}`;
  const place = `${at}${section === null ? '' : `, in [${section}]`}`;
  const quoted = (texts: readonly string[]): string[] => texts.map((text) => `    ${text}`);
  const steps: Readonly<Record<Change['action'], string[]>> = {
    add: [`Add to ${place}:`, ...quoted(lines)],
    remove: [`Remove from ${place}:`, ...quoted([was ?? ''])],
    run: ['Run:', ...quoted(lines)],
    replace: [`Change ${place}:`, ...quoted([was ?? '']), 'to:', ...quoted(lines)],
  };
  return [...steps[action], ...(afterwards === null ? [] : [`Then: ${afterwards}`])];
}

function summary(findings: readonly Finding[]): string {
  const count = (status: Status, one: string, many: string): string[] => {
    const number = findings.filter((finding) => finding.status === status).length;
    return number === 0 ? [] : [`${number} ${number === 1 ? one : many}`];
  };
  const parts = [
    count('problem', 'problem', 'problems'),
    count('warning', 'warning', 'warnings'),
    count('unknown', 'could not be looked at', 'could not be looked at'),
  ].flat();
  return parts.length === 0 ? 'All is well.' : `${parts.join(', ')}.`;
}
