import { z } from 'zod';
import type { CallQuality } from '../../model/ports.ts';
import { roundOpinion } from '../../score/opinion.ts';
import type { PbxList } from '../read/pbxs.ts';

const TIME = z.iso.datetime({ precision: 3 });
const COUNT = z.int().nonnegative();

export const SHARDS = z
  .strictObject({ answered: COUNT, of: COUNT })
  .describe('shards of ClickHouse that gave their part of this answer; of fewer than all, calls are missing in it');

const SHARE = z.strictObject({
  calls: COUNT,
  judged_calls: COUNT,
  bad_percent: z
    .number()
    .nonnegative()
    .nullable()
    .describe('share of bad calls among the judged ones; null: there are none'),
  mes_mean: z.number().nullable(),
});

export const PBXS_ANSWER = z.strictObject({
  pbxs: z.array(
    z.strictObject({
      pbx: z.string(),
      site: z.string(),
      state: z
        .enum(['up', 'silent', 'never'])
        .describe('silent: nothing was heard of it for three minutes; never: nothing within 45 days'),
      last_heard_at: TIME.nullable(),
      silent_since: TIME.nullable().describe('when it was last heard of; null unless silent'),
      release: z.string().nullable().describe('of asterisk-mes'),
      asterisk_version: z.string().nullable(),
      calls_up: COUNT.nullable().describe('null while it is silent'),
      outbox_rows: COUNT.nullable().describe('rows that waited there when it was last heard of'),
      outbox_dropped: COUNT.nullable().describe('rows given up because there was no room'),
      lag_s: z.number().nonnegative().nullable().describe('how long the oldest of these rows has waited'),
      problem: z
        .string()
        .nullable()
        .describe('what keeps it from scoring calls, as /readyz there says it; null: nothing'),
      last_day: SHARE.describe('calls of the last 24 hours'),
      week_before: SHARE.describe('the same hours a week before'),
    }),
  ),
  shards: SHARDS.nullable(),
});

function presentShare({ calls, judgedCalls, badPercent, mesMean }: CallQuality): z.output<typeof SHARE> {
  return {
    calls,
    judged_calls: judgedCalls,
    bad_percent: badPercent === null ? null : Number(badPercent.toFixed(2)),
    mes_mean: mesMean === null ? null : roundOpinion(mesMean),
  };
}

const isoTime = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

export function presentPbxs({ pbxs, shards }: PbxList): z.output<typeof PBXS_ANSWER> {
  return {
    pbxs: pbxs.map((one) => ({
      pbx: one.pbx,
      site: one.site,
      state: one.state,
      last_heard_at: isoTime(one.lastHeardAtMs),
      silent_since: isoTime(one.silentSinceMs),
      release: one.release,
      asterisk_version: one.asteriskVersion,
      calls_up: one.callsUp,
      outbox_rows: one.outboxRows,
      outbox_dropped: one.outboxDropped,
      lag_s: one.lagMs === null ? null : one.lagMs / 1000,
      problem: one.problem,
      last_day: presentShare(one.lastDay),
      week_before: presentShare(one.weekBefore),
    })),
    shards: shards === null ? null : { ...shards },
  };
}
