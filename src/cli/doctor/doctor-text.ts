import type { DoctorReport } from '../../doctor/gather/diagnose.ts';
import type { Change, Finding, Status } from '../../doctor/finding.ts';
import type { Paint, Tone } from '../terminal/paint.ts';
import { wrapped } from '../terminal/words.ts';

const WORD: Readonly<Record<Status, string>> = {
  ok: 'ok',
  warning: 'WARNING',
  problem: 'PROBLEM',
  unknown: 'unknown',
  accepted: 'accepted',
};
const TONE: Readonly<Record<Status, Tone>> = {
  ok: 'good',
  warning: 'poor',
  problem: 'bad',
  unknown: 'dim',
  accepted: 'dim',
};
const STATUS_WIDTH = 9;
const LINE_WIDTH = 80;
/** A terminal with less room for a sentence breaks it itself. */
const NARROWEST_SENTENCE = 30;

/** How wide lines may be: in a pipe as wide as they are, since programs look for sentences. */
export function widthOf({ isTTY, columns }: Pick<NodeJS.WriteStream, 'isTTY' | 'columns'>): number {
  return isTTY ? columns : Number.POSITIVE_INFINITY;
}

/** The report for people: a sentence per check, followed by what to change. */
export function doctorText({ findings }: DoctorReport, paint: Paint, width: number): string {
  const idWidth = Math.max(...findings.map(({ id }) => id.length)) + 2;
  const { shown, cause, unseen } = withoutConsequences(findings);
  const blocks = shown.flatMap((finding) => findingLines(finding, paint, { width, idWidth }));
  if (cause !== undefined) {
    const indent = ' '.repeat(STATUS_WIDTH + idWidth);
    blocks.push(
      `${paint('dim', WORD.unknown.padEnd(STATUS_WIDTH))}${`${unseen.length} more`.padEnd(idWidth)}Not looked at; fix "${cause}" first.`,
      ...listed(unseen, LINE_WIDTH - indent.length).map((line) => `${indent}${line}`),
    );
  }
  return `${blocks.join('\n')}\n\n${summary(findings)}\n`;
}

/** Without AMI, or without settings, most cannot be looked at, which is one thing to say and not one for each. */
function withoutConsequences(findings: readonly Finding[]): {
  readonly shown: readonly Finding[];
  readonly cause: string | undefined;
  readonly unseen: readonly string[];
} {
  const cause = findings.find(({ id, status }) => (id === 'settings' || id === 'ami') && status === 'problem')?.id;
  const unseen = findings.filter(({ status }) => status === 'unknown').map(({ id }) => id);
  if (cause === undefined || unseen.length < 2) return { shown: findings, cause: undefined, unseen: [] };
  return { shown: findings.filter(({ status }) => status !== 'unknown'), cause, unseen };
}

/** Words in lines of at most so many characters. */
function listed(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length + 2 <= width) lines[lines.length - 1] = `${last}, ${word}`;
    else lines.push(word);
  }
  return lines;
}

interface FindingShape {
  readonly width: number;
  readonly idWidth?: number;
}

/** One finding, and what to change. Lines to copy are never broken. */
export function findingLines(finding: Finding, paint: Paint, { width, idWidth }: FindingShape): string[] {
  const id = finding.id.padEnd(idWidth ?? finding.id.length + 2);
  const indent = ' '.repeat(STATUS_WIDTH + id.length);
  const word = paint(TONE[finding.status], WORD[finding.status].padEnd(STATUS_WIDTH));
  const room = width - indent.length;
  const broken = (text: string): string[] => (room < NARROWEST_SENTENCE ? [text] : wrapped(text, room));
  const [first = '', ...rest] = broken(finding.saw);
  return [`${word}${id}${first}`, ...[...rest, ...details(finding, broken)].map((line) => `${indent}${line}`)];
}

function details({ status, why, changes }: Finding, broken: (text: string) => string[]): string[] {
  if (status === 'ok' || status === 'accepted') return [];
  return [...(status === 'unknown' ? [] : broken(`Why: ${why}`)), ...changes.flatMap(changeLines)];
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

/** `2 problems, 1 warning.` */
export function summary(findings: readonly Finding[]): string {
  const count = (status: Status, one: string, many: string): string[] => {
    const number = findings.filter((finding) => finding.status === status).length;
    return number === 0 ? [] : [`${number} ${number === 1 ? one : many}`];
  };
  const parts = [
    count('problem', 'problem', 'problems'),
    count('warning', 'warning', 'warnings'),
    count('unknown', 'could not be looked at', 'could not be looked at'),
  ].flat();
  const accepted = count('accepted', 'finding is accepted', 'findings are accepted').join('');
  const all = parts.length === 0 ? 'All is well.' : `${parts.join(', ')}.`;
  return accepted === '' ? all : `${all} ${accepted} ([doctor] accept).`;
}
