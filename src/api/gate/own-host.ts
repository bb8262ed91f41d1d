import type { IncomingHttpHeaders } from 'node:http';
import { Problem } from '../problem.ts';

/** Names that no name server decides on, so that no stranger's name can be made to lead here (RFC 6761 §6.3, RFC 5735 §3). */
const THIS_MACHINE = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;

/** What a page of this server, a person or a program sends as Sec-Fetch-Site (Fetch Metadata, W3C). */
const OWN_SITE = /^(?:same-origin|none)$/i;

/**
 * Throws Problem 403 for what a page of another site makes a browser ask for: it cannot read the answer, but the work
 * would be done. `mayFollow`: a link from elsewhere may lead here, that is, what is asked for holds nothing of any call.
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
 * Throws Problem 403 when a request was not meant for this machine by its Host header. A page of a name that its owner
 * lets point to 127.0.0.1 (DNS rebinding) would otherwise read everything, as a page of the same origin. Without the
 * header (HTTP/1.0) it comes from no browser.
 */
export function assertMeantForThisMachine(host: string | undefined): void {
  if (host === undefined || THIS_MACHINE.test(host)) return;
  throw new Problem(
    'MES_ERR_HOST',
    'without a token only requests to localhost are answered; use http://127.0.0.1 or set token in [http] of mes.conf',
  );
}
