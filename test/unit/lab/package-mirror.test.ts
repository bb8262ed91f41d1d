import { expect, test } from 'vitest';
import { findDebianMirror, parseAptSources } from '../../lab/package-mirror.ts';

const DEB822 = `# a comment
Types: deb deb-src
URIs: http://updates.example/debian-security
Suites: bookworm-security
Components: main

Types: deb
Enabled: no
URIs: http://disabled.example/debian
Suites: bookworm
Components: main

Types: deb
URIs: https://vendor.example/apt
Suites: nodistro
Components: main

Types: deb
URIs:
 http://debian.example/debian
Suites: bookworm bookworm-updates
Components: main
 contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`;

test('the main archive is found among security, disabled and vendor stanzas', () => {
  expect(findDebianMirror(parseAptSources(DEB822, 'deb822'), 'bookworm')).toBe('http://debian.example/debian');
});

test('classic lines with options and comments are read', () => {
  const text = `# deb http://commented.example/debian bookworm main
deb-src http://source.example/debian bookworm main
deb [arch=amd64 signed-by=/x.gpg] https://vendor.example/apt cloud-sdk-bookworm main
deb [arch=amd64] http://debian.example/debian bookworm main contrib # ours
`;
  expect(findDebianMirror(parseAptSources(text, 'list'), 'bookworm')).toBe('http://debian.example/debian');
});

test('a source of another distribution only is no mirror', () => {
  const text = 'deb http://archive.example/ubuntu noble main universe\n';
  expect(findDebianMirror(parseAptSources(text, 'list'), 'bookworm')).toBe(undefined);
});
