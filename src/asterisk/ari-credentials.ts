import { errorCode } from '../model/errors/error-code.ts';
import { tlsProblem } from './ami/tls-problem.ts';

export interface AriCredentials {
  /** `http://127.0.0.1:8088`, or with https. */
  readonly url: string;
  readonly username: string;
  readonly password: string;
}

/** Why ARI refuses us, in one sentence. `fatal`: a person has to change something first. */
export interface AriRefusal {
  readonly fatal: boolean;
  readonly problem: string;
}

/** Removes the path `/ari`, which the package adds itself. */
export function ariBaseUrl(url: string): string {
  return url.replace(/\/(?:ari\/?)?$/, '');
}

/** `Asterisk's ARI at http://127.0.0.1:8088` */
export function whereAri({ url }: AriCredentials): string {
  return `Asterisk's ARI at ${url}`;
}

/** Checks address, user and password with a plain request: `ari-client` dies of a wrong password. Undefined when they are right. */
export async function checkAriCredentials(to: AriCredentials, signal: AbortSignal): Promise<AriRefusal | undefined> {
  const authorization = `Basic ${Buffer.from(`${to.username}:${to.password}`).toString('base64')}`;
  try {
    const answer = await fetch(`${to.url}/ari/asterisk/info?only=system`, { headers: { authorization }, signal });
    await answer.body?.cancel();
    return answer.ok ? undefined : { fatal: answer.status === 401, problem: refusalSentence(to, answer.status) };
  } catch (error) {
    const problem =
      tlsProblem(causeCode(error), whereAri(to), 'url in [ari]') ??
      `${whereAri(to)} cannot be reached; start Asterisk, or check url in [ari] and enabled = yes in http.conf`;
    return { fatal: false, problem };
  }
}

function refusalSentence(to: AriCredentials, status: number): string {
  if (status === 401) {
    return `${whereAri(to)} refused the user "${to.username}"; check username and password in [ari] against ari.conf`;
  }
  return `${whereAri(to)} answers with HTTP status ${status}; check url in [ari], and that ari.conf has enabled = yes`;
}

/** Node's or OpenSSL's code for why `fetch` failed; empty when there is none. */
function causeCode(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return errorCode(cause, '');
}
