import { readOfflineSettings } from '../../config/read-settings.ts';

const ANSWER_WAIT_MS = 10_000;

/** Why REST gave no answer: one sentence for people. */
export class RestError extends Error {
  override readonly name = 'RestError';
  /** The parameter that REST does not take; null where none is at fault. */
  readonly parameter: string | null;

  constructor(message: string, options?: ErrorOptions & { readonly parameter?: string | null }) {
    super(message, options);
    this.parameter = options?.parameter ?? null;
  }
}

/** Asks the sidecar of this machine, as the settings name it. */
export interface RestClient {
  readonly address: string;
  /** `/v1/calls`, with its parameters. Rejects with RestError. */
  get<T>(path: string, parameters?: Readonly<Record<string, string>>): Promise<T>;
}

/** Throws SettingsError where the settings cannot be read. */
export async function restClient(config: string | undefined): Promise<RestClient> {
  const { http } = await readOfflineSettings(config, process.env);
  const host = { '0.0.0.0': '127.0.0.1', '::': '::1' }[http.bind.host] ?? http.bind.host;
  const address = `http://${host.includes(':') ? `[${host}]` : host}:${http.bind.port}`;
  const headers: Record<string, string> = http.token === null ? {} : { authorization: `Bearer ${http.token}` };
  return {
    address,
    async get<T>(path: string, parameters: Readonly<Record<string, string>> = {}): Promise<T> {
      const query = new URLSearchParams(parameters).toString();
      let response: Response;
      try {
        const signal = AbortSignal.timeout(ANSWER_WAIT_MS);
        response = await fetch(`${address}${path}${query === '' ? '' : `?${query}`}`, { headers, signal });
      } catch (error) {
        throw new RestError(
          `no answer from ${address}; is asterisk-mes running? Start it, or name its settings with --config`,
          {
            cause: error,
          },
        );
      }
      const body: unknown = await response.json().catch(() => null);
      if (response.ok) return body as T;
      throw new RestError(refusal(response.status, body, address), { parameter: parameterOf(body) });
    },
  };
}

/** Why the sidecar may not know all that goes on now: not connected to Asterisk, or it cannot store. Null: it knows. */
export async function whyNotReady(rest: RestClient): Promise<string | null> {
  try {
    await rest.get('/readyz');
    return null;
  } catch (error) {
    if (error instanceof RestError) return `This may be old, and calls may be missing: ${error.message}`;
    throw error;
  }
}

function refusal(status: number, body: unknown, address: string): string {
  const detail = typeof body === 'object' && body !== null && 'detail' in body ? String(body.detail) : '';
  if (status === 401)
    return `${address} wants another token; name the settings that the service runs with, with --config`;
  return detail === '' ? `${address} answered ${status}` : detail;
}

/** A problem document names the parameter that is at fault. */
function parameterOf(body: unknown): string | null {
  if (typeof body !== 'object' || body === null || !('parameter' in body)) return null;
  return typeof body.parameter === 'string' ? body.parameter : null;
}
