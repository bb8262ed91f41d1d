import type { PhoneReport } from '../model/phones/phone-report.ts';
import { type SipMessage, sipHeader } from '../wire/sip/message.ts';
import type { SipResponse } from '../wire/sip/response.ts';
import { readPhoneReport } from '../wire/vq-report/report.ts';

const EVENT = 'vq-rtcpxr';
const REPORT_TYPE = 'application/vq-rtcpxr';
const ALLOWED = 'PUBLISH, MESSAGE, OPTIONS';
/** The Expires of our 200, which RFC 3903 §6 demands, for a phone that names none. Nothing expires here. */
const USUAL_EXPIRES_S = 3600;
const MAX_EXPIRES_S = 86_400;

/** The response to a request, and the report that it carried. */
export interface Verdict {
  /** Null: it gets no response (an ACK, or itself a response). */
  readonly response: SipResponse | null;
  readonly report: PhoneReport | null;
}

/** Judges one message by method, event and body. `entityTag` goes into the SIP-ETag of a PUBLISH's answer (RFC 3903). */
export function judgeRequest(message: SipMessage, entityTag: string): Verdict {
  if (message.start.kind === 'response') return { response: null, report: null };
  switch (message.start.method) {
    case 'PUBLISH':
      return judgePublish(message, entityTag);
    case 'MESSAGE':
      return judgeBody(message, {});
    case 'OPTIONS':
      return only(200, 'OK', { Allow: ALLOWED, Accept: REPORT_TYPE, 'Allow-Events': EVENT });
    case 'ACK':
      return { response: null, report: null };
    default:
      return only(405, 'Method Not Allowed', { Allow: ALLOWED });
  }
}

function judgePublish(message: SipMessage, entityTag: string): Verdict {
  const event = sipHeader(message, 'event')?.split(';')[0]?.trim().toLowerCase();
  if (event !== EVENT) return only(489, 'Bad Event', { 'Allow-Events': EVENT });
  const wished = sipHeader(message, 'expires') ?? '';
  const expiresS = /^\d{1,9}$/.test(wished) ? Math.min(Number(wished), MAX_EXPIRES_S) : USUAL_EXPIRES_S;
  const headers = { 'SIP-ETag': entityTag, Expires: String(expiresS) };
  // A refresh or a removal (RFC 3903 §4.3, §4.5) has no body, and there is nothing to refresh here.
  if (message.body.trim() === '' && sipHeader(message, 'sip-if-match') !== undefined) return only(200, 'OK', headers);
  return judgeBody(message, headers);
}

function judgeBody(message: SipMessage, headers: Readonly<Record<string, string>>): Verdict {
  const type = sipHeader(message, 'content-type')?.split(';')[0]?.trim().toLowerCase();
  const encoding = sipHeader(message, 'content-encoding')?.toLowerCase() ?? 'identity';
  if (type !== REPORT_TYPE || encoding !== 'identity') {
    return only(415, 'Unsupported Media Type', { Accept: REPORT_TYPE, 'Accept-Encoding': 'identity' });
  }
  const report = readPhoneReport(message.body, sipHeader(message, 'user-agent'));
  if (report === undefined) return only(400, 'The body is no RFC 6035 report with metrics', {});
  return { ...only(200, 'OK', headers), report };
}

function only(status: number, reason: string, headers: Readonly<Record<string, string>>): Verdict {
  const list = Object.entries(headers).map(([name, value]) => ({ name, value }));
  return { response: { status, reason, headers: list }, report: null };
}
