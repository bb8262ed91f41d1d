import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { releaseProblem, type ReleaseState } from '../../../docker/release/release.ts';

const ROOT = join(import.meta.dirname, '../../..');
const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8');
const RIGHT: ReleaseState = {
  version: '1.2.0-rc.1',
  tags: ['nightly', 'v1.2.0-rc.1'],
  isChanged: false,
  changelog: '# Changelog\n\n## 1.2.0-rc.1, 2026-11-30\n\n## 1.1.0\n',
};

describe('a release', () => {
  it('is made of a tag of its own version, of nothing else, and CHANGELOG begins with it', () => {
    expect(releaseProblem(RIGHT)).toBeUndefined();
    expect(releaseProblem({ ...RIGHT, isChanged: true })).toContain('not committed');
    expect(releaseProblem({ ...RIGHT, tags: ['v1.2.0'] })).toContain('git tag v1.2.0-rc.1');
    expect(releaseProblem({ ...RIGHT, changelog: '## 1.1.0\n' })).toBe(
      'CHANGELOG.md begins with 1.1.0, not with 1.2.0-rc.1',
    );
  });

  it('has one version everywhere: package, lock, changelog and the names of files in the documents', () => {
    const { version } = JSON.parse(read('package.json')) as { version: string };
    const lock = JSON.parse(read('package-lock.json')) as {
      version: string;
      packages: Record<string, { version?: string }>;
    };
    expect([lock.version, lock.packages['']?.version]).toEqual([version, version]);
    expect(/^## (\S+?),? /m.exec(read('CHANGELOG.md'))?.[1]).toBe(version);
    const documents = ['README.md', 'asterisk-conf/README.md'].map(read).join('\n');
    const names = documents.match(/asterisk-mes[-_]\d[\w.~-]*?\.(?:tgz|deb)/g) ?? [];
    expect(names.length).toBeGreaterThan(3);
    const right = [`asterisk-mes-${version}.tgz`, `asterisk-mes_${version.replace('-', '~')}_amd64.deb`];
    expect(names.filter((name) => !right.includes(name))).toEqual([]);
  });
});
