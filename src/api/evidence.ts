import { z } from 'zod';
import { Page } from './page.ts';
import { NO_QUERY } from './parameters.ts';
import { Problem } from './problem.ts';
import { type Route, route } from './route.ts';

const TIME = z.iso.datetime({ precision: 3 });
const NUMBER = z.number().nullable();
const TEXT = z.string().nullable();
const MEAN_AND_MAX = z.strictObject({ mean: NUMBER, max: NUMBER });

const DIRECTION = z.strictObject({
  direction: z.enum(['rx', 'tx']),
  from: z.string(),
  to: z.string(),
  measured_by: z.string(),
  ssrc: TEXT,
  codec: TEXT,
  reports: z.int(),
  packets_expected: NUMBER,
  packets_lost: NUMBER,
  loss_percent: NUMBER,
  jitter_ms: MEAN_AND_MAX,
  rtt_ms: MEAN_AND_MAX,
  mes: NUMBER,
  verdict: TEXT,
  why: TEXT,
  captured: z.boolean().describe('whether its packets were captured as well'),
  course: z
    .array(
      z.strictObject({
        at: TIME,
        kind: z.string(),
        loss_percent: NUMBER,
        jitter_ms: NUMBER,
        rtt_ms: NUMBER,
        mes: NUMBER,
      }),
    )
    .describe('report by report, at most 400 of them'),
});

const EVIDENCE = z.strictObject({
  made_at: TIME,
  host: z.string(),
  time_zone: z.string().describe('of this server (IANA)'),
  linkedid: z.string(),
  started_at: TIME,
  ended_at: TIME.nullable(),
  verdict: TEXT,
  mes: NUMBER,
  profile: z.string(),
  fault_place: TEXT,
  fault_certainty: TEXT,
  fault_reports: NUMBER,
  fault_why: TEXT,
  what_rules_out_this_server: TEXT.describe('null: nothing does, or the fault is not known to be elsewhere'),
  channels: z.array(
    z.strictObject({
      uniqueid: z.string(),
      channel: z.string(),
      endpoint: z.string(),
      caller_number: TEXT,
      connected_number: TEXT,
      dialled: TEXT,
      codec: TEXT,
      started_at: TIME,
      answered_at: TIME.nullable(),
      ended_at: TIME.nullable(),
      hangup_cause: NUMBER,
      hangup_cause_text: TEXT,
      directions: z.array(DIRECTION),
    }),
  ),
});

const SHARE_BODY = z.strictObject({
  days: z.int().min(1).max(365).optional().describe('how long the link works; 30 unless given'),
});
const SHARE_ANSWER = z.strictObject({ url: z.string(), expires_at: TIME });
const REVOKE_ANSWER = z.strictObject({ revoked: z.boolean() });

const USUAL_DAYS = 30;

export interface EvidenceService {
  /** Null: no such call. */
  evidence(linkedid: string): Promise<z.output<typeof EVIDENCE> | null>;
  share(linkedid: string, days: number): { readonly url: string; readonly expiresAtMs: number };
  /** No link that was made before works any more. */
  revokeAll(): Promise<void>;
  /** What a link shows; `isThere` false: it does not work. */
  page(token: string): Promise<{ readonly html: string; readonly isThere: boolean }>;
  readonly pageHeaders: Readonly<Record<string, string>>;
}

export function evidenceRoutes(service: EvidenceService): readonly Route[] {
  const known = async (linkedid: string): Promise<z.output<typeof EVIDENCE>> => {
    const evidence = await service.evidence(linkedid);
    if (evidence === null)
      throw new Problem('MES_ERR_NO_SUCH_ID', 'no call has this linkedid; GET /v1/calls lists them');
    return evidence;
  };
  return [
    route({
      path: '/v1/calls/:linkedid/evidence',
      summary: 'All that is known of a call, for a carrier',
      query: NO_QUERY,
      answer: EVIDENCE,
      handle: (_query, linkedid) => known(linkedid),
    }),
    route({
      method: 'POST',
      path: '/v1/calls/:linkedid/share',
      summary: 'A link that shows this call, and nothing else, to whoever has it',
      access: 'token',
      query: NO_QUERY,
      body: SHARE_BODY,
      answer: SHARE_ANSWER,
      status: 201,
      async handle(_query, linkedid, { days = USUAL_DAYS }) {
        const call = await known(linkedid);
        const { url, expiresAtMs } = service.share(call.linkedid, days);
        return { url, expires_at: new Date(expiresAtMs).toISOString() };
      },
    }),
    route({
      method: 'DELETE',
      path: '/v1/shares',
      summary: 'Takes back every link that was made so far, those in messages too',
      access: 'token',
      query: NO_QUERY,
      answer: REVOKE_ANSWER,
      async handle() {
        await service.revokeAll();
        return { revoked: true };
      },
    }),
    route({
      path: '/s/:token',
      summary: 'The page that a link shows',
      access: 'open',
      isPage: true,
      type: 'text/html',
      query: NO_QUERY,
      answer: z.string(),
      async handle(_query, token) {
        const { html, isThere } = await service.page(token);
        return new Page(html, isThere ? 200 : 404, service.pageHeaders);
      },
    }),
  ];
}
