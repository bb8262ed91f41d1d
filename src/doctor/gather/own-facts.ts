import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import type { AmiInquiry } from '../../asterisk/ami/ami-inquiry.ts';
import { ariBaseUrl, checkAriCredentials } from '../../asterisk/ari-credentials.ts';
import type { Settings } from '../../config/settings.ts';
import { hostAndPortText, type HostAndPort } from '../../config/value-types.ts';
import { HistoryError } from '../../history/history-error.ts';
import { unusedReports } from '../../history/read/unused-reports.ts';
import type { DiskFacts, DoctorFacts, FastAgiFacts, ReporterFacts, SidecarFacts } from '../facts.ts';
import { errorCode } from '../../model/errors/error-code.ts';

const TIMEOUT_MS = 5000;
/** How far back reports of calls are looked at. */
const RECENT_MS = 7 * 86_400_000;

/** A server that listens on every address is asked on loopback. */
const LOOPBACK_OF: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

function asSeenHere({ host, port }: HostAndPort): HostAndPort {
  return { host: LOOPBACK_OF[host] ?? host, port };
}

export async function diskFacts(path: string): Promise<DiskFacts> {
  const fail = (problem: string): DiskFacts => ({ path, problem, freeBytes: null });
  let place = path;
  // The sidecar creates missing folders at its start, so look at the nearest one that exists.
  while (!(await isAllowed(place, constants.F_OK)) && place !== dirname(place)) place = dirname(place);
  try {
    const isDirectory = (await stat(place)).isDirectory();
    if (isDirectory === (place === path)) {
      return fail(
        `${place} is ${isDirectory ? 'a directory, where the history has to be a file' : 'a file, where a directory is needed'}`,
      );
    }
    await access(place, constants.W_OK);
    const { bavail, bsize } = await statfs(place);
    return { path, problem: null, freeBytes: bavail * bsize };
  } catch (error) {
    return fail(`${place} cannot be written by the user that runs doctor (${errorCode(error)})`);
  }
}

/** How usable each endpoint's reports were. No history: no endpoint. Null: the history cannot be read. */
export async function reporterFacts(path: string, nowMs: number): Promise<readonly ReporterFacts[] | null> {
  if (!(await isAllowed(path, constants.F_OK))) return (await isAllowed(dirname(path), constants.X_OK)) ? [] : null;
  try {
    return unusedReports(path, nowMs - RECENT_MS);
  } catch (error) {
    if (!(error instanceof HistoryError)) throw error;
    return null;
  }
}

async function isAllowed(path: string, mode: number): Promise<boolean> {
  try {
    await access(path, mode);
    return true;
  } catch {
    return false;
  }
}

export async function ariFacts({ ari }: Settings): Promise<DoctorFacts['ari']> {
  if (ari === null) return null;
  const to = { ...ari, url: ariBaseUrl(ari.url) };
  const refusal = await checkAriCredentials(to, AbortSignal.timeout(TIMEOUT_MS));
  const { url, username, password } = ari;
  return { url, username, password, problem: refusal?.problem ?? null };
}

/** Asks a running sidecar how it is. */
export async function sidecarFacts({ http }: Settings): Promise<SidecarFacts> {
  const url = `http://${hostAndPortText(asSeenHere(http.bind))}`;
  if ((await agiCounters(url)) === undefined) return { url, isRunning: false, problem: null };
  const headers = http.token === null ? undefined : { authorization: `Bearer ${http.token}` };
  const ready = await getJson(`${url}/readyz`, headers);
  if (ready?.ok === true) return { url, isRunning: true, problem: null };
  const detail = ready?.body['detail'];
  return { url, isRunning: true, problem: typeof detail === 'string' ? detail : 'it does not say that it is ready' };
}

/** Whether hang-ups reach the sidecar: it has answered one, or it counts a connection that Asterisk opens for this check. */
export async function fastAgiFacts(
  { agi }: Settings,
  sidecar: SidecarFacts,
  inquiry: AmiInquiry | undefined,
): Promise<FastAgiFacts> {
  // A running sidecar has its port, and would only count our attempt.
  if (!sidecar.isRunning) return { isListening: await canConnect(asSeenHere(agi.bind)), fromAsterisk: null };
  return { isListening: true, fromAsterisk: await knockFromAsterisk(agi.bind, sidecar.url, inquiry) };
}

async function knockFromAsterisk(
  bind: HostAndPort,
  url: string,
  inquiry: AmiInquiry | undefined,
): Promise<FastAgiFacts['fromAsterisk']> {
  const before = await agiCounters(url);
  if (before === undefined || inquiry === undefined) return null;
  if (before.answered > 0) return 'taken';
  if (bind.host in LOOPBACK_OF || (await inquiry.variable('IFMODULE(func_curl.so)')) !== '1') return null;
  // An HTTP request is not AGI: the sidecar counts it and closes the connection.
  await inquiry.variable(`CURL(http://${hostAndPortText(bind)}/)`);
  const after = await agiCounters(url);
  if (after === undefined) return null;
  if (after.taken > before.taken) return 'taken';
  return after.refused > before.refused ? 'refused' : 'absent';
}

async function canConnect({ host, port }: HostAndPort): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host, port, timeout: TIMEOUT_MS });
  socket.once('connect', () => resolve(true));
  socket.once('timeout', () => resolve(false));
  socket.on('error', () => resolve(false));
  const isOpen = await promise;
  socket.destroy();
  return isOpen;
}

interface AgiCounters {
  /** Hang-ups that got their final scores. */
  readonly answered: number;
  /** Connections that were refused for their address. */
  readonly refused: number;
  /** All other connections. */
  readonly taken: number;
}

/** Undefined when no sidecar answers. */
async function agiCounters(url: string): Promise<AgiCounters | undefined> {
  const health = await getJson(`${url}/healthz`);
  const counters = health?.body['counters'];
  if (health?.ok !== true || typeof counters !== 'object' || counters === null) return undefined;
  const own = Object.entries(counters).filter(
    (entry): entry is [string, number] => entry[0].startsWith('agi_') && typeof entry[1] === 'number',
  );
  const count = (wanted: (name: string) => boolean): number =>
    own.reduce((sum, [name, value]) => sum + (wanted(name) ? value : 0), 0);
  return {
    answered: count((name) => name === 'agi_answered'),
    refused: count((name) => name === 'agi_refused'),
    taken: count((name) => name !== 'agi_refused'),
  };
}

async function getJson(
  url: string,
  headers: Record<string, string> = {},
): Promise<{ readonly ok: boolean; readonly body: Readonly<Record<string, unknown>> } | undefined> {
  try {
    const answer = await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
    const body: unknown = await answer.json();
    return { ok: answer.ok, body: typeof body === 'object' && body !== null ? { ...body } : {} };
  } catch {
    return undefined;
  }
}
