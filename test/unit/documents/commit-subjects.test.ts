import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { brokenSubjects, subjectProblem } from '../../documents/commit-subjects.ts';

describe('the subject of a commit', () => {
  test.each([
    'Add examples of mes.conf for each kind of user',
    'Bring the glossary up to date',
    'Pass the clock as an argument',
    'Focus the search field',
    `Ää${'é'.repeat(70)}`,
  ])('%s', (subject) => {
    expect(subjectProblem(subject)).toBeUndefined();
  });

  test.each([
    [`Add ${'x'.repeat(69)}`, 'has 73 characters, 72 are allowed'],
    ['add a test', 'does not begin with a capital letter'],
    ['', 'does not begin with a capital letter'],
    ['Add a test.', 'ends with a full stop or an exclamation mark'],
    ['Added a test', 'begins with "Added"'],
    ['Adds a test', 'begins with "Adds"'],
    ['Adding a test', 'begins with "Adding"'],
  ])('%s: %s', (subject, problem) => {
    expect(subjectProblem(subject)).toContain(problem);
  });
});

describe('the subjects of a clone', () => {
  const folder = mkdtempSync(join(tmpdir(), 'commits-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function commit(subject: string, at: string): void {
    const who = ['-c', 'user.name=Somebody', '-c', 'user.email=somebody@example.org', '-c', 'commit.gpgsign=false'];
    execFileSync('git', [...who, '-C', folder, 'commit', '--quiet', '--allow-empty', '--date', at, '-m', subject]);
  }
  beforeAll(() => {
    execFileSync('git', ['init', '--quiet', folder]);
    commit('added long ago', '2026-01-01T00:00:00Z');
    commit('Add what is right\n\nadded with a body', '2026-03-01T00:00:00Z');
    commit('Adds what is wrong', '2026-03-02T00:00:00Z');
  });

  test('are held to the rule from its day on', () => {
    const broken = brokenSubjects(folder, Date.parse('2026-02-01T00:00:00Z'));
    expect(broken).toHaveLength(1);
    expect(broken[0]).toMatch(/^[0-9a-f]{4,} "Adds what is wrong" begins with "Adds", which is no imperative/);
  });

  test('are not looked at before', () => {
    expect(brokenSubjects(folder, Date.parse('2026-04-01T00:00:00Z'))).toEqual([]);
  });
});
