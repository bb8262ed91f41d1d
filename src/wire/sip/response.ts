import { type SipHeader, type SipMessage, sipHeader } from './message.ts';

/** Where a request came from, as the top Via is to tell (RFC 3261 §18.2.1, RFC 3581). */
export interface SipPeer {
  readonly address: string;
  readonly port: number;
}

export interface SipResponse {
  readonly status: number;
  readonly reason: string;
  readonly headers?: readonly SipHeader[];
}

/** Header fields that a response repeats (RFC 3261 §8.2.6.2), in their usual order and spelling. */
const REPEATED = [
  ['via', 'Via'],
  ['from', 'From'],
  ['to', 'To'],
  ['call-id', 'Call-ID'],
  ['cseq', 'CSeq'],
] as const;

/**
 * The text of a response. `tag` marks the To of a request that had no tag there. Undefined when the request lacks what
 * every response repeats: nobody could match it.
 */
export function sipResponse(
  request: SipMessage,
  peer: SipPeer,
  { status, reason, headers = [] }: SipResponse,
  tag: string,
): string | undefined {
  const lines = [`SIP/2.0 ${status} ${reason}`];
  for (const [name, spelling] of REPEATED) {
    const values = request.headers.filter((header) => header.name === name).map(({ value }) => value);
    const [first, ...rest] = values;
    if (first === undefined) return undefined;
    let shown = first;
    if (name === 'via') shown = seenVia(first, peer);
    else if (name === 'to' && !/;\s*tag=/i.test(first)) shown = `${first};tag=${tag}`;
    for (const value of [shown, ...rest]) lines.push(`${spelling}: ${value}`);
  }
  for (const { name, value } of headers) lines.push(`${name}: ${value}`);
  lines.push('Content-Length: 0', '', '');
  return lines.join('\r\n');
}

/** The top Via with the address that the request really came from. */
function seenVia(via: string, { address, port }: SipPeer): string {
  const [top = '', ...others] = via.split(',');
  const withPort = top.replace(/;\s*rport(?=\s*(?:;|$))/i, `;rport=${port}`);
  const rest = others.length > 0 ? `,${others.join(',')}` : '';
  return `${withPort};received=${address}${rest}`;
}

/** Where the response to a request over UDP goes: to the source port when the client asks for it by `rport`, else to Via's port. */
export function responsePort(request: SipMessage, peer: SipPeer): number {
  const via = sipHeader(request, 'via')?.split(',')[0] ?? '';
  if (/;\s*rport/i.test(via)) return peer.port;
  const sentBy = /^SIP\s*\/\s*2\.0\s*\/\s*\w+\s+(?:\[[^\]]*\]|[^:;\s]+)(?::(\d{1,5}))?/i.exec(via);
  const port = Number(sentBy?.[1] ?? '5060');
  return port >= 1 && port <= 65_535 ? port : peer.port;
}
