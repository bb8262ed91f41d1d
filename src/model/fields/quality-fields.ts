import { count, type Fields, moment, number, opinion, orNull, text } from './field.ts';

/** How well some calls went. Null: none of them has it. */
export const QUALITY_FIELDS = {
  calls: count('how many calls there were'),
  scoredCalls: count('those with a score; mean and quantiles are of these'),
  judgedCalls: count('those with a verdict on their quality, not too-short or no-rtcp'),
  badCalls: count('those with verdict bad, no-media, one-way-rx or one-way-tx'),
  badPercent: orNull(number('%', 2, 'share of bad calls among the judged ones; null: there are none')),
  mesMean: orNull(opinion('mean score')),
  mesMedian: orNull(opinion('median score, by nearest rank')),
  mesP5: orNull(opinion('5th percentile, by nearest rank: of a hundred calls five were at most this good')),
  mesP25: orNull(opinion('25th percentile')),
  mesP75: orNull(opinion('75th percentile')),
  mesP95: orNull(opinion('95th percentile')),
  mesWorst: orNull(opinion('the lowest score')),
} as const satisfies Fields;

/** Of the channels of an endpoint or a group. */
export const LEGS_QUALITY_FIELDS = {
  ...QUALITY_FIELDS,
  ownFaultCalls: count(
    'calls of two parties whose fault lies with these channels: their phone, or the network between it and this server',
  ),
  lossPercent: orNull(number('%', 2, 'share of all packets that were lost, both directions')),
  jitterMeanMs: orNull(number('ms', 3, 'mean interarrival jitter over all reports, both directions')),
  rttMeanMs: orNull(number('ms', 3, 'mean round trip, weighted by reports')),
} as const satisfies Fields;

export const ENDPOINT_QUALITY_FIELDS = {
  endpoint: text('the phone or trunk'),
  ...LEGS_QUALITY_FIELDS,
} as const satisfies Fields;

export const GROUP_QUALITY_FIELDS = {
  name: text('of the device, site or codec'),
  ...LEGS_QUALITY_FIELDS,
} as const satisfies Fields;

/** Of a stretch of time. */
export const BUCKET_QUALITY_FIELDS = {
  startsAtMs: moment('when the stretch begins'),
  ...QUALITY_FIELDS,
} as const satisfies Fields;

/** Of a stretch of time, as a trend has it. */
export const TREND_BUCKET_FIELDS = {
  startsAtMs: BUCKET_QUALITY_FIELDS.startsAtMs,
  calls: BUCKET_QUALITY_FIELDS.calls,
  badPercent: BUCKET_QUALITY_FIELDS.badPercent,
  mesP5: BUCKET_QUALITY_FIELDS.mesP5,
} as const satisfies Fields;

/** Of one half of the time asked about. */
export const HALF_QUALITY_FIELDS = {
  ...QUALITY_FIELDS,
  lowCalls: count('those that scored at most the 5th percentile of both halves together'),
} as const satisfies Fields;
