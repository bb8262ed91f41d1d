import { z } from 'zod';

const NUMBER = z.number().nullable();
const TIME = z.iso.datetime({ precision: 3 });

/** Of a channel, beside what RTCP says of tx. */
export const PHONE_HEARING = z.strictObject({
  network_loss_percent: NUMBER.describe('lost on the way, as the phone counted'),
  discard_percent: NUMBER.describe('arrived, but too late or too early for its jitter buffer'),
  burst_loss_percent: NUMBER,
  burst_duration_ms: NUMBER,
  gap_loss_percent: NUMBER,
  gap_duration_ms: NUMBER,
  round_trip_delay_ms: NUMBER,
  end_system_delay_ms: NUMBER,
  interarrival_jitter_ms: NUMBER,
  r_lq: NUMBER,
  r_cq: NUMBER,
  mos_lq: NUMBER,
  mos_cq: NUMBER,
  reports: z.int().nonnegative(),
  start_at: TIME.nullable().describe("by the phone's clock, as stop_at"),
  stop_at: TIME.nullable(),
  user_agent: z.string().nullable(),
});
