import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { machineDebianMirror } from './package-mirror.ts';
import { RELEASES, findRootFilesystem } from './root-filesystem.ts';

const DOCKER_IMAGE = 'node:24-bookworm';

/**
 * Why the lab cannot run on this machine, as one plain sentence, or undefined when it can.
 *
 * It needs Linux, root with the right to mount, and a Debian whose apt names a mirror.
 */
export function labObstacle(): string | undefined {
  if (process.platform !== 'linux') return `it needs Linux, and this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'it needs root (to mount and chroot), and this user is not root';
  if (!existsSync('/usr/bin/apt-get')) return "it needs Debian's apt-get, which is not here";
  if (machineDebianMirror() === undefined) return "no apt source on this machine names Debian's main archive";
  if (!runs('unshare', ['--mount', '--pid', '--fork', 'true'])) {
    return 'this user is root but may not mount (a container without --privileged?)';
  }
  return undefined;
}

/** Whether tests can start labs of both releases now; `prepare.ts` has said why where they cannot. */
export function labIsReady(): boolean {
  return labObstacle() === undefined && RELEASES.every((release) => findRootFilesystem(release) !== undefined);
}

/** What to do about an obstacle, as one plain sentence: the docker command for `npmCommand`, where there is an engine. */
export function wayAround(npmCommand: string): string {
  if (runs('docker', ['version', '--format', '{{.Server.Version}}'])) {
    return `Docker is here, so use: docker run --rm -it --privileged --network host -v "$PWD":/src -w /src ${DOCKER_IMAGE} sh -c 'npm ci && ${npmCommand}'`;
  }
  return 'There is no usable Docker engine either: run it as root on a Debian machine.';
}

function runs(command: string, words: readonly string[]): boolean {
  try {
    execFileSync(command, words, { stdio: 'ignore', timeout: 30_000 });
    return true;
  } catch {
    return false;
  }
}
