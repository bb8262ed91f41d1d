/** `.ci/run` runs this: it refuses commits whose subjects are not as `.github/CONTRIBUTING.md` says. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../lab/paths.ts';

/** Commits written before this are left as they are. The author's time stays when a commit is rebased. */
const RULE_SINCE = Date.parse('2026-11-30T14:40:00Z');
const LONGEST_SUBJECT = 72;

/** First words that look like a past tense, a gerund or a third person and are none. */
const IMPERATIVES =
  /^(bring|cling|embed|feed|need|ping|proceed|seed|shed|sling|speed|spring|string|succeed|swing|wring|bias|canvas|focus)$/i;

/** What is wrong with a subject; undefined when nothing is. */
export function subjectProblem(subject: string): string | undefined {
  const { length } = subject;
  if (length > LONGEST_SUBJECT) return `has ${length} characters, ${LONGEST_SUBJECT} are allowed`;
  const [word = ''] = subject.split(/[\s,:]/, 1);
  if (!/^\p{Lu}/u.test(word)) return 'does not begin with a capital letter';
  if (/[.!]$/.test(subject)) return 'ends with a full stop or an exclamation mark';
  if (/(ed|ing|[^s]s)$/i.test(word) && !IMPERATIVES.test(word)) {
    return `begins with "${word}", which is no imperative ("Add", not "Added", "Adds" or "Adding")`;
  }
  return undefined;
}

/** A line for each commit of this clone that the rule holds for and that breaks it. */
export function brokenSubjects(repository: string, since: number): string[] {
  // A clone that belongs to another user, such as in a container, is read all the same.
  const git = ['-c', 'safe.directory=*', '-C', repository, 'log', '--no-merges', '--format=%h%x00%at%x00%s'];
  const lines = execFileSync('git', git, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
    .trim()
    .split('\n');
  return lines.flatMap((line) => {
    const [hash = '', seconds = '', subject = ''] = line.split('\0');
    const problem = Number(seconds) * 1000 < since ? undefined : subjectProblem(subject);
    return problem === undefined ? [] : [`${hash} "${subject}" ${problem}.`];
  });
}

if (import.meta.main) {
  // An archive without history has no commits to look at.
  const broken = existsSync(join(REPOSITORY, '.git')) ? brokenSubjects(REPOSITORY, RULE_SINCE) : [];
  for (const line of broken) process.stderr.write(`${line}\n`);
  if (broken.length > 0) process.exitCode = 1;
}
