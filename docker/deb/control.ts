/** `1.0.0-rc.1` → `1.0.0~rc.1`: a tilde sorts before the release, as semantic versions do. */
export function debianVersion(version: string): string {
  return version.replace('-', '~');
}

/** Debian's names of the processors that npm has Node's and SQLite's binaries for → npm's. */
export const NPM_ARCHITECTURES = { amd64: 'x64', arm64: 'arm64' } as const;
export type Architecture = keyof typeof NPM_ARCHITECTURES;

export interface ControlFields {
  readonly version: string;
  readonly architecture: Architecture;
  /** Of all files, in KiB. */
  readonly installedKib: number;
}

/** The package's `control` file (deb-control(5)). */
export function controlFile({ version, architecture, installedKib }: ControlFields): string {
  return `Package: asterisk-mes
Version: ${debianVersion(version)}
Architecture: ${architecture}
Maintainer: ${MAINTAINER}
Installed-Size: ${installedKib}
Depends: libc6 (>= 2.28), libstdc++6 (>= 8), libgcc-s1, systemd | systemd-standalone-sysusers, systemd | systemd-standalone-tmpfiles
Recommends: ca-certificates
Suggests: asterisk, tcpdump
Section: comm
Priority: optional
Homepage: https://github.com/asterisk-mes/asterisk-mes
Description: scores the media of every call on an Asterisk server as it happens
 A sidecar for the Asterisk PBX: it reads RTCP reports over the manager
 interface, computes the Media Experience Score of each call while it is up,
 writes it to channel variables and CDR fields, keeps a history in SQLite and
 shows it over REST and on a page.
 .
 Node.js 24 is in the package. "asterisk-mes setup" does the rest.
`;
}

export const MAINTAINER = 'asterisk-mes developers <developers@asterisk-mes.invalid>';
