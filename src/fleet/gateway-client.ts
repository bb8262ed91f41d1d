import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const zip = promisify(gzip);

/** The fleet's gateway, as one PBX reaches it. */
export interface GatewayAddress {
  readonly url: string;
  readonly token: string;
  /** Null: the PBX names no site. */
  readonly site: string | null;
}

/** Sends rows, one JSON a line, packed. Rejects where no answer comes before `signal` aborts. */
export async function postRows(
  { url, token, site }: GatewayAddress,
  path: string,
  lines: string,
  signal: AbortSignal,
): Promise<Response> {
  return fetch(`${url}${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/x-ndjson',
      'content-encoding': 'gzip',
      ...(site === null ? {} : { 'mes-site': site }),
    },
    body: await zip(lines),
    signal,
  });
}
