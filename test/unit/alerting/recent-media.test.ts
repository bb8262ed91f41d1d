import { expect, it } from 'vitest';
import { endedSample, RecentLooks } from '../../../src/alerting/rules/recent-media.ts';
import type { ChannelRecord } from '../../../src/model/record.ts';
import type { SampleSummary } from '../../../src/model/fields/field.ts';
import { mesProfile } from '../../../src/score/profiles.ts';
import { channelRecord, START_MS, streamRecord } from '../history/records.ts';

const RULES = { profile: mesProfile('documented'), thresholds: { good: 4, fair: 3.6, poor: 3.1 } };

function summary(count: number, mean: number, stdev = 0): SampleSummary {
  return { last: mean, mean, min: mean, max: mean, stdev, count };
}

/** A channel that is up, with as many packets in each direction and some of rx lost. */
function up(reports: number, lost: number, part: Partial<ChannelRecord> = {}): ChannelRecord {
  const common = {
    reports,
    packetsExpected: reports * 250,
    rttMs: summary(reports, 20),
    jitterMs: summary(reports, 2),
  };
  return {
    ...channelRecord('1.1'),
    endedAtMs: null,
    verdict: 'good',
    onHold: false,
    streams: [
      streamRecord({ ...common, direction: 'rx', packetsLost: lost }),
      streamRecord({ ...common, direction: 'tx', reporter: 'remote', packetsLost: 0 }),
    ],
    ...part,
  };
}

it('sees audio turn bad within seconds after an hour that was good', () => {
  const looks = new RecentLooks();
  const hour = 720;
  const samples = Array.from({ length: 12 }, (_, index) =>
    // From the third look on a fifth of the packets is lost; over the hour that is never more than 0.3 %.
    looks.look(up(hour + index, Math.max(0, index - 2) * 50), START_MS + index * 5000, RULES),
  );
  expect(samples.map(({ verdict }) => verdict).slice(0, 3)).toEqual(['good', 'good', 'good']);
  const firstBad = samples.findIndex(({ verdict }) => verdict === 'bad');
  expect(firstBad).toBeGreaterThanOrEqual(3);
  expect(firstBad).toBeLessThanOrEqual(5);
  expect(samples.slice(firstBad).every(({ verdict }) => verdict === 'bad')).toBe(true);
  expect(samples.at(-1)).toMatchObject({
    lossPercent: 20,
    badSinceMs: START_MS + firstBad * 5000,
    hasFarReports: true,
  });
});

it('forgets that a call was bad when it is good again', () => {
  const looks = new RecentLooks();
  for (let index = 0; index < 6; index++) looks.look(up(100 + index, index * 100), START_MS + index * 5000, RULES);
  const after = Array.from({ length: 6 }, (_, index) =>
    looks.look(up(106 + index, 500), START_MS + (6 + index) * 5000, RULES),
  );
  expect(after[0]?.badSinceMs).toBeGreaterThan(START_MS - 1);
  expect(after.at(-1)).toMatchObject({ verdict: 'good', lossPercent: 0, badSinceMs: null });
});

it('keeps its opinion while no report comes, and has none of a call on hold', () => {
  const looks = new RecentLooks();
  looks.look(up(0, 0), START_MS - 5000, RULES);
  const bad = looks.look(up(10, 1000), START_MS, RULES);
  expect(bad).toMatchObject({ verdict: 'bad', badSinceMs: START_MS });
  const same = Array.from({ length: 6 }, (_, index) => looks.look(up(10, 1000), START_MS + (index + 1) * 5000, RULES));
  expect(same.at(-1)).toMatchObject({ verdict: null, mes: null, badSinceMs: START_MS });
  expect(looks.look(up(10, 1000, { onHold: true }), START_MS + 60_000, RULES).verdict).toBeNull();
});

it('takes mean jitter and round trip of the time since alone', () => {
  const looks = new RecentLooks();
  const before = up(10, 0);
  looks.look(before, START_MS, RULES);
  // Ten samples of 2 ms, then two of 50 and 70: mean (20 + 120) / 12, squares (40 + 7400) / 12.
  const mean = 140 / 12;
  const stdev = Math.sqrt(7440 / 12 - mean * mean);
  const streams = up(12, 0).streams.map((stream) => ({
    ...stream,
    jitterMs: summary(12, mean, stdev),
    rttMs: summary(12, (10 * 20 + 2 * 320) / 12),
  }));
  const sample = looks.look({ ...up(12, 0), streams }, START_MS + 5000, RULES);
  expect(sample.jitterMs).toBeCloseTo(60, 6);
  expect(sample.rttMs).toBeCloseTo(320, 6);
  // 320 + 2·60·10/3 + 10 = 730 ms; R = 93.2 − 61 = 32.2; 1 + 1.127 − 32.2·27.8·67.8·7e-6 = 1.702.
  expect(sample.mes).toBeCloseTo(1.702, 3);
});

it('takes the worse direction of a call that has ended', () => {
  const channel = { ...up(10, 0), endedAtMs: START_MS, verdict: 'one-way-rx' as const, mes: 2.7 };
  const streams = channel.streams.map((stream) => ({
    ...stream,
    lossPercent: stream.direction === 'rx' ? 1 : 7,
    reports: stream.direction === 'rx' ? 10 : 0,
  }));
  expect(endedSample({ ...channel, streams })).toMatchObject({
    verdict: 'one-way-rx',
    mes: 2.7,
    lossPercent: 7,
    hasFarReports: false,
    badSinceMs: null,
    site: 'Berlin',
  });
});
