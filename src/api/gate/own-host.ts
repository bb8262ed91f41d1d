import type { IncomingHttpHeaders } from 'node:http';
import { Problem } from '../problem.ts';

/** Names that no name server resolves, so no stranger's name can lead here (RFC 6761 §6.3, RFC 5735 §3). */
const THIS_MACHINE = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;

/** Values of Sec-Fetch-Site (W3C Fetch Metadata) that are not from another site. */
const OWN_SITE = /^(?:same-origin|none)$/i;

/**
 * Throws Problem 403 for requests that another site's page makes a browser send. That page could not read the answer, but the
 * work would be done. `mayFollow`: links from elsewhere are allowed, because the answer has nothing of any call.
 */
export function assertNotForeign(headers: IncomingHttpHeaders, mayFollow = false): void {
  const { origin, host } = headers;
  const site = headers['sec-fetch-site'];
  const isOther = site !== undefined && !OWN_SITE.test(site);
  const isFollowed = mayFollow && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  if (isOther && !isFollowed) throw foreign();
  if (origin !== undefined && URL.parse(origin)?.host !== host) throw foreign();
}

function foreign(): Problem {
  return new Problem('MES_ERR_ORIGIN', 'a page of another site may not read this; open the dashboard of this server');
}

/**
 * Throws Problem 403 when the Host header is not a name of this machine. Otherwise a page whose owner lets its name point to
 * 127.0.0.1 (DNS rebinding) would have the same origin and could read everything. Requests without the header (HTTP/1.0) come
 * from no browser.
 */
export function assertMeantForThisMachine(host: string | undefined): void {
  if (host === undefined || THIS_MACHINE.test(host)) return;
  throw new Problem(
    'MES_ERR_HOST',
    'without a token only requests to localhost are answered; use http://127.0.0.1 or set token in [http] of mes.conf',
  );
}
