/** What phones themselves report (RFC 6035), as the API answers it; VoIP metrics under the names of RFC 3611. */
import { z } from 'zod';
import type { JoinedPhoneReport, PhoneMediaAddress, PhoneMetrics } from '../../model/phones/phone-report.ts';
import type { ChannelRecord } from '../../model/record.ts';
import { formatSsrc } from '../../wire/rtcp/rtcp-xr-json.ts';
import { rounded } from '../../wire/rtcp/voip-metrics.ts';
import { PHONE_HEARING, presentHearing } from './hearing.ts';
import { NO_QUERY } from '../parameters.ts';
import { Problem } from '../problem.ts';
import { type Route, route } from '../route.ts';

const NUMBER = z.number().nullable();
const TEXT = z.string().nullable();
const RATIO = z.number().min(0).max(1).nullable();
const TIME = z.iso.datetime({ precision: 3 });
const PERCENT_AT_ONE = 100;

const METRICS = z.strictObject({
  started_at: TIME.nullable().describe("by the phone's clock, as stopped_at"),
  stopped_at: TIME.nullable(),
  payload_type: NUMBER,
  codec: TEXT,
  clock_rate_hz: NUMBER,
  ssrc: z
    .string()
    .regex(/^0x[0-9a-f]{8}$/)
    .nullable(),
  loss_rate: RATIO,
  discard_rate: RATIO,
  burst_density: RATIO,
  gap_density: RATIO,
  burst_duration_ms: NUMBER,
  gap_duration_ms: NUMBER,
  round_trip_delay_ms: NUMBER,
  end_system_delay_ms: NUMBER,
  one_way_delay_ms: NUMBER,
  interarrival_jitter_ms: NUMBER,
  mean_absolute_jitter_ms: NUMBER,
  signal_level_dbm: NUMBER,
  noise_level_dbm: NUMBER,
  rerl_db: NUMBER,
  gmin: NUMBER,
  r_factor: NUMBER.describe('of conversation, as far as the phone says (RCQ)'),
  ext_r_factor: NUMBER,
  r_lq: NUMBER,
  mos_lq: NUMBER,
  mos_cq: NUMBER,
  rx_config: z.strictObject({ plc: NUMBER, jba: NUMBER, jb_rate: NUMBER }),
  jb_nominal_ms: NUMBER,
  jb_maximum_ms: NUMBER,
  jb_abs_max_ms: NUMBER,
});

const MEDIA_END = z.strictObject({ address: TEXT, port: NUMBER });

const REPORT = z.strictObject({
  kind: z
    .enum(['session', 'interval', 'alert', 'xr', 'bye'])
    .describe('xr: in RTCP XR (RFC 3611), the latest one; bye: X-RTP-Stat or P-RTP-Stat of its BYE'),
  at: TIME.describe("when it came, by this server's clock"),
  from_address: z.string(),
  from_phone: z
    .boolean()
    .describe("it came from where the phone's signalling or audio comes from, or from peers: only then is it believed"),
  joined_by: z.enum(['call-id', 'address', 'rtcp', 'bye']),
  user_agent: TEXT,
  sip_call_id: TEXT,
  local_id: TEXT,
  remote_id: TEXT,
  local: MEDIA_END.describe("the phone's end of the audio"),
  remote: MEDIA_END.describe('the other end, as the phone sees it: this server'),
  alert: z
    .strictObject({ metric: z.string(), severity: TEXT, direction: TEXT })
    .nullable()
    .describe('which threshold was crossed'),
  tx: METRICS.describe('what the phone received: the audio that this server sent'),
  rx: METRICS.nullable().describe('what the phone was told of the audio that it sent'),
});

const PHONE_REPORTS_ANSWER = z.strictObject({
  uniqueid: z.string(),
  sip_call_id: TEXT,
  phone: PHONE_HEARING.nullable().describe('what the believed ones add up to'),
  reports: z.array(REPORT).describe('oldest first'),
});

export interface PhoneReportSources {
  readonly channel: (uniqueid: string) => Promise<ChannelRecord | null>;
  readonly reports: (uniqueid: string) => Promise<readonly JoinedPhoneReport[]>;
}

export function phoneReportRoutes({ channel, reports }: PhoneReportSources): readonly Route[] {
  return [
    route({
      path: '/v1/channels/:uniqueid/phone-reports',
      summary: 'What the phone itself reported of what it received (RFC 6035, and RTCP XR where packets are captured).',
      query: NO_QUERY,
      answer: PHONE_REPORTS_ANSWER,
      handle: async ({ id: uniqueid }) => {
        const found = await channel(uniqueid);
        if (found === null) {
          throw new Problem(
            'MES_ERR_NO_SUCH_ID',
            'no channel of this id is known; it may be older than the history is kept',
          );
        }
        return {
          uniqueid,
          sip_call_id: found.sipCallId,
          phone: found.phone === null ? null : presentHearing(found.phone),
          reports: (await reports(uniqueid)).map(presentReport),
        };
      },
    }),
  ];
}

function presentReport({ report, ...received }: JoinedPhoneReport): z.output<typeof REPORT> {
  const { kind, callId, localId, remoteId, local, remote, localMetrics, remoteMetrics, alert } = report;
  return {
    kind,
    at: isoTime(received.atMs),
    from_address: received.fromAddress,
    from_phone: received.isFromPhone,
    joined_by: received.joinedBy,
    user_agent: received.userAgent,
    sip_call_id: callId,
    local_id: localId,
    remote_id: remoteId,
    local: { address: local.address, port: local.port },
    remote: { address: remote.address, port: remote.port },
    alert,
    // A stream has the SSRC of whoever sends it.
    tx: presentMetrics(localMetrics, remote),
    rx: remoteMetrics === null ? null : presentMetrics(remoteMetrics, local),
  };
}

function presentMetrics(metrics: PhoneMetrics, { ssrc }: PhoneMediaAddress): z.output<typeof METRICS> {
  const ratio = (percent: number | null): number | null =>
    percent === null ? null : rounded(percent / PERCENT_AT_ONE, 6);
  return {
    started_at: metrics.startAtMs === null ? null : isoTime(metrics.startAtMs),
    stopped_at: metrics.stopAtMs === null ? null : isoTime(metrics.stopAtMs),
    payload_type: metrics.payloadType,
    codec: metrics.codec,
    clock_rate_hz: metrics.clockRateHz,
    ssrc: ssrc === null ? null : formatSsrc(ssrc),
    loss_rate: ratio(metrics.networkLossPercent),
    discard_rate: ratio(metrics.discardPercent),
    burst_density: ratio(metrics.burstLossPercent),
    gap_density: ratio(metrics.gapLossPercent),
    burst_duration_ms: metrics.burstDurationMs,
    gap_duration_ms: metrics.gapDurationMs,
    round_trip_delay_ms: metrics.roundTripDelayMs,
    end_system_delay_ms: metrics.endSystemDelayMs,
    one_way_delay_ms: metrics.oneWayDelayMs,
    interarrival_jitter_ms: metrics.interarrivalJitterMs,
    mean_absolute_jitter_ms: metrics.meanAbsoluteJitterMs,
    signal_level_dbm: metrics.signalLevelDbm,
    noise_level_dbm: metrics.noiseLevelDbm,
    rerl_db: metrics.rerlDb,
    gmin: metrics.gmin,
    r_factor: metrics.rCq,
    ext_r_factor: metrics.extRIn,
    r_lq: metrics.rLq,
    mos_lq: metrics.mosLq,
    mos_cq: metrics.mosCq,
    rx_config: { plc: metrics.plc, jba: metrics.jba, jb_rate: metrics.jbRate },
    jb_nominal_ms: metrics.jbNominalMs,
    jb_maximum_ms: metrics.jbMaximumMs,
    jb_abs_max_ms: metrics.jbAbsMaxMs,
  };
}

function isoTime(atMs: number): string {
  return new Date(atMs).toISOString();
}
