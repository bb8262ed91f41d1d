import { chown, copyFile, mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../model/errors/error-code.ts';
import { Installation, INSTALLATION_FILE } from './installation.ts';
import { LIVE } from './live-journal.ts';
import { READY } from './spool.ts';
import { STATUS_FILE } from './sender.ts';

const REQUEST_TIMEOUT_MS = 15_000;

export interface SpoolState {
  readonly waitingFiles: number;
  readonly waitingBytes: number;
  /** The state that the sidecar last wrote; null: it never ran with measurements. */
  readonly last: Readonly<Record<string, unknown>> | null;
}

/** The waiting files and the sidecar's last state. Rejects with an Error of one sentence. */
export async function spoolState(spool: string): Promise<SpoolState> {
  const names = await namesIn(spool);
  let waitingBytes = 0;
  for (const name of names) waitingBytes += (await stat(join(spool, name))).size;
  return { waitingFiles: names.length, waitingBytes, last: await lastStatus(spool) };
}

/** Makes a new identity. A running sidecar takes it over within 5 s. */
export async function resetInstallation(spool: string, nowMs: number): Promise<void> {
  await (await Installation.open(spool, nowMs)).reset(nowMs);
  await keepOwner(spool);
}

/** Moves the waiting files from the spool into a directory. Resolves with their number. */
export async function exportSpool(spool: string, directory: string): Promise<number> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const names = await namesIn(spool);
  for (const name of names) {
    await copyFile(join(spool, name), join(directory, name));
    await rm(join(spool, name), { force: true });
  }
  return names.length;
}

/**
 * Asks the collection server to delete what this installation sent, as far as its tokens are known. Then empties the spool and
 * makes a new identity. When the server fails, the tokens are kept, and it rejects at the end with one sentence.
 */
export async function forgetMeasurements(
  spool: string,
  collector: string | null,
  nowMs: number,
): Promise<{ readonly asked: number; readonly emptied: number }> {
  const installation = await Installation.open(spool, nowMs);
  const done: string[] = [];
  let problem: string | null = null;
  for (const token of collector === null ? [] : installation.tokens) {
    problem = await askToDelete(`${collector}/v1/deletions`, token);
    if (problem !== null) break;
    done.push(token);
  }
  const names = await namesIn(spool);
  // The next start would send what an ended sidecar left of calls that were up.
  for (const name of [...names, ...(await namesIn(spool, LIVE))]) await rm(join(spool, name), { force: true });
  await installation.forgetTokens(done, nowMs);
  await keepOwner(spool);
  if (problem !== null) throw new Error(`${problem}; the spool is emptied, ask again later for what was sent`);
  return { asked: done.length, emptied: names.length };
}

async function askToDelete(url: string, token: string): Promise<string | null> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token }),
      redirect: 'error',
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    await response.body?.cancel();
    return response.status === 204 ? null : `${url} answered ${response.status}`;
  } catch {
    return `${url} cannot be reached`;
  }
}

async function namesIn(spool: string, end = READY): Promise<string[]> {
  try {
    return (await readdir(spool)).filter((name) => name.endsWith(end));
  } catch (error) {
    const code = errorCode(error, 'unknown');
    if (code === 'ENOENT') return [];
    throw new Error(`${spool} cannot be read (${code}); run this as the user that runs asterisk-mes`, { cause: error });
  }
}

async function lastStatus(spool: string): Promise<SpoolState['last']> {
  try {
    return JSON.parse(await readFile(join(spool, STATUS_FILE), 'utf8')) as Readonly<Record<string, unknown>>;
  } catch {
    return null;
  }
}

/** Gives files that root wrote here to the owner of the spool, so that the sidecar can read them. */
async function keepOwner(spool: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat(spool);
  await chown(join(spool, INSTALLATION_FILE), uid, gid);
}
