const TOKEN_KEY = 'asterisk-mes-token';
const TIMEOUT_MS = 10_000;

/** Name of the event by which the window is told that no token, or a wrong one, was sent. */
export const TOKEN_NEEDED = 'token-needed';

/** REST refused: its own sentence. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly status: number;

  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

/** Kept for as long as the browser's tab lives. */
export function storeToken(token: string): void {
  sessionStorage.setItem(TOKEN_KEY, token);
}

/** Whether a token has been given in this tab already. */
export function hasToken(): boolean {
  return sessionStorage.getItem(TOKEN_KEY) !== null;
}

/** A web socket carries the token among its subprotocols, in base64url: a page can set no header of it. */
export function socketProtocols(): string[] {
  const token = sessionStorage.getItem(TOKEN_KEY);
  if (token === null) return ['asterisk-mes'];
  const base64 = btoa(String.fromCodePoint(...new TextEncoder().encode(token)));
  return ['asterisk-mes', `bearer.${base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`];
}

/**
 * What REST answers at a path, as JSON. Throws Refused with REST's own sentence, or an Error of one
 * sentence when no answer comes.
 */
export async function get<Answer>(path: string, signal?: AbortSignal): Promise<Answer> {
  const token = sessionStorage.getItem(TOKEN_KEY);
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  let response: Response;
  try {
    response = await fetch(path, {
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new Error('The sidecar does not answer; check that asterisk-mes runs and that the network reaches it.', {
      cause: error,
    });
  }
  if (response.status === 401) window.dispatchEvent(new Event(TOKEN_NEEDED));
  const body: unknown = await response.json().catch(() => undefined);
  if (response.ok && body !== undefined) return body as Answer;
  const detail =
    typeof body === 'object' && body !== null && 'detail' in body ? String(body.detail) : 'no reason given';
  throw new Refused(response.status, detail);
}
