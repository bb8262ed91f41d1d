import { Problem } from './problem.ts';

/** Names that no name server decides on, so that no stranger's name can be made to lead here (RFC 6761 §6.3, RFC 5735 §3). */
const THIS_MACHINE = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;

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
