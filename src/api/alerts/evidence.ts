import { z } from 'zod';
import type { Clock, TimeRange } from '../../model/ports.ts';
import { type Moment, momentMs } from '../../units/moment.ts';
import { Page } from '../page.ts';
import { moment, NO_QUERY } from '../parameters.ts';
import { Problem } from '../problem.ts';
import { type Route, route } from '../route.ts';

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
  bursts: z
    .strictObject({
      burst_density_percent: NUMBER,
      gap_density_percent: NUMBER,
      burst_duration_ms: NUMBER,
      gap_duration_ms: NUMBER,
    })
    .nullable()
    .describe('of captured packets (RFC 3611); null: not captured, and reports are too far apart to show bursts'),
  reports_with_loss: z.int().describe('reports in which packets were lost'),
  worst_report_loss_percent: NUMBER,
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

const RULES_OUT = TEXT.describe('null: nothing does, or the fault is not known to be elsewhere');

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
  others_at_the_time: z
    .strictObject({ calls: z.int(), judged_calls: z.int(), bad_calls: z.int() })
    .describe('other calls that used this server while it was up'),
  what_rules_out_this_server: RULES_OUT,
  channels: z.array(
    z.strictObject({
      uniqueid: z.string(),
      channel: z.string(),
      endpoint: z.string(),
      caller_number: TEXT,
      connected_number: TEXT,
      dialled: TEXT,
      sip_call_id: TEXT,
      signalling_address: TEXT,
      local_media: TEXT.describe("this server's end of its RTP: of captured packets, otherwise as Asterisk has it"),
      remote_media: TEXT.describe('the far end of its RTP, likewise'),
      device: TEXT,
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

const TRUNK_DIRECTION = DIRECTION.pick({
  direction: true,
  from: true,
  to: true,
  measured_by: true,
  reports: true,
  packets_expected: true,
  packets_lost: true,
  loss_percent: true,
  jitter_ms: true,
  rtt_ms: true,
}).extend({ calls: z.int() });
const ONE_WAY = z.strictObject({ loss_percent: NUMBER, jitter_ms: NUMBER, rtt_ms: NUMBER });

const TRUNK_EVIDENCE = z.strictObject({
  made_at: TIME,
  host: z.string(),
  time_zone: z.string().describe('of this server (IANA)'),
  endpoint: z.string(),
  from: TIME,
  to: TIME,
  calls: z.int(),
  judged_calls: z.int(),
  bad_calls: z.int(),
  bad_percent: NUMBER,
  mes_mean: NUMBER,
  mes_p5: NUMBER,
  mes_worst: NUMBER,
  others: z
    .strictObject({
      judged_calls: z.int(),
      bad_calls: z.int(),
      bad_percent: NUMBER,
      p_value: NUMBER.describe("by chance alone (Fisher's exact test, two-sided)"),
    })
    .describe('all calls of this server in the time that did not use it'),
  what_rules_out_this_server: RULES_OUT,
  directions: z.array(TRUNK_DIRECTION),
  faults: z
    .strictObject({
      at_trunk: z.int(),
      at_other_side: z.int(),
      both: z.int(),
      this_server: z.int(),
      not_known: z.int(),
    })
    .describe('of its bad calls: on which side of this server the fault lies'),
  codecs: z.array(z.strictObject({ codec: z.string(), calls: z.int() })),
  remote_media: z.array(z.strictObject({ address: z.string(), calls: z.int() })),
  course: z.array(z.strictObject({ at: TIME, calls: z.int(), bad_percent: NUMBER, mes_p5: NUMBER })),
  worst_calls: z
    .array(
      z.strictObject({
        linkedid: z.string(),
        started_at: TIME,
        ended_at: TIME.nullable(),
        caller_number: TEXT,
        connected_number: TEXT,
        dialled: TEXT,
        sip_call_id: TEXT,
        remote_media: TEXT,
        codec: TEXT,
        verdict: TEXT,
        mes: NUMBER,
        rx: ONE_WAY,
        tx: ONE_WAY,
        fault_place: TEXT,
        fault_certainty: TEXT,
      }),
    )
    .describe('at most 100'),
  calls_left_out: z.int().describe('older calls of it that were too many to look at one by one'),
});

const TRUNK_QUERY = z.strictObject({ from: moment(), to: moment() });
const USUAL_AGO_MS = 86_400_000;
const LONGEST_MS = 92 * 86_400_000;

export interface EvidenceService {
  /** The evidence of a call; null: no such call. */
  evidence(linkedid: string): Promise<z.output<typeof EVIDENCE> | null>;
  callPage(linkedid: string): Promise<string | null>;
  trunkEvidence(endpoint: string, range: TimeRange): Promise<z.output<typeof TRUNK_EVIDENCE>>;
  trunkPage(endpoint: string, range: TimeRange): Promise<string>;
  readonly pageHeaders: Readonly<Record<string, string>>;
}

export function noSuchCall(): Problem {
  return new Problem('MES_ERR_NO_SUCH_ID', 'no call has this linkedid; GET /v1/calls lists them');
}

/** The range of a trunk's evidence: the last day by default, at most 92 days. Throws Problem. */
export function trunkRange(
  { from, to }: { readonly from?: Moment | undefined; readonly to?: Moment | undefined },
  nowMs: number,
): TimeRange {
  const toMs = to === undefined ? nowMs : momentMs(to, nowMs);
  const fromMs = from === undefined ? toMs - USUAL_AGO_MS : momentMs(from, nowMs);
  if (fromMs >= toMs)
    throw new Problem('MES_ERR_PARAMETER_VALUE', 'parameter from: it is not before to; give an earlier time', 'from');
  if (toMs - fromMs > LONGEST_MS)
    throw new Problem(
      'MES_ERR_PARAMETER_VALUE',
      'parameter from: it is more than 92 days before to; ask in parts',
      'from',
    );
  return { fromMs: Math.max(0, fromMs), toMs };
}

export function evidenceRoutes(service: EvidenceService, clock: Clock): readonly Route[] {
  return [
    route({
      path: '/v1/calls/:linkedid/evidence',
      summary: 'All that is known of a call, for a carrier',
      query: NO_QUERY,
      answer: EVIDENCE,
      async handle({ id: linkedid }) {
        const evidence = await service.evidence(linkedid);
        if (evidence === null) throw noSuchCall();
        return evidence;
      },
    }),
    route({
      path: '/v1/calls/:linkedid/evidence/page',
      summary: 'The same as a page to read or to print',
      type: 'text/html',
      query: NO_QUERY,
      answer: z.string(),
      async handle({ id: linkedid }) {
        const html = await service.callPage(linkedid);
        if (html === null) throw noSuchCall();
        return new Page(html, 200, service.pageHeaders);
      },
    }),
    route({
      path: '/v1/trunks/:endpoint/evidence',
      summary: 'All that is known of a trunk (or any endpoint) over a time, held against all other calls',
      query: TRUNK_QUERY,
      answer: TRUNK_EVIDENCE,
      handle: ({ query, id: endpoint }) => service.trunkEvidence(endpoint, trunkRange(query, clock.nowMs())),
    }),
    route({
      path: '/v1/trunks/:endpoint/evidence/page',
      summary: 'The same as a page to read or to print',
      type: 'text/html',
      query: TRUNK_QUERY,
      answer: z.string(),
      handle: async ({ query, id: endpoint }) =>
        new Page(await service.trunkPage(endpoint, trunkRange(query, clock.nowMs())), 200, service.pageHeaders),
    }),
  ];
}
