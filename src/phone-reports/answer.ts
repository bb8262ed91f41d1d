import type { PhoneReport } from '../model/phones/phone-report.ts';
import { type SipMessage, sipHeader } from '../wire/sip/message.ts';
import type { SipResponse } from '../wire/sip/response.ts';
import { readPhoneReport } from '../wire/vq-report/report.ts';

const EVENT = 'vq-rtcpxr';
const REPORT_TYPE = 'application/vq-rtcpxr';
const ALLOWED = 'PUBLISH, MESSAGE, OPTIONS';
/** What a phone that names no time is given; nothing here expires (RFC 3903 §6 wants a number in each 200). */
const USUAL_EXPIRES_S = 3600;
const MAX_EXPIRES_S = 86_400;

/** What a request comes to: the response, and the report that it carried. */
export interface Verdict {
  /** Null: the request wants none (ACK, or a response that strayed here). */
  readonly response: SipResponse | null;
  readonly report: PhoneReport | null;
}

/** Judges one message by its method, its event and its body. `entityTag` names what a PUBLISH has made (RFC 3903). */
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
  // A refresh or a removal (RFC 3903 §4.3, §4.5) has no body; nothing is kept that could be refreshed.
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
