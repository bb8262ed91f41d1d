import { expect, it } from 'vitest';
import { changeSentence, digestMessage, digestPeriod } from '../../../src/alerting/messages/digest.ts';
import type { CallQuality } from '../../../src/model/ports.ts';

/** 2026-11-20T10:00:00.000Z, a Friday. */
const START_MS = 1_795_168_800_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function quality(calls: number, bad: number): CallQuality {
  return {
    calls,
    scoredCalls: calls,
    judgedCalls: calls,
    badCalls: bad,
    badPercent: calls === 0 ? null : (100 * bad) / calls,
    mesMean: calls === 0 ? null : 4.1,
    mesMedian: null,
    mesP5: calls === 0 ? null : 2.9,
    mesP25: null,
    mesP75: null,
    mesP95: null,
    mesWorst: calls === 0 ? null : 1,
  };
}

it('is due from seven in the morning on, of the day or on Mondays of the week, in local time', () => {
  const sevenMs = START_MS - 3 * HOUR_MS;
  expect(digestPeriod(sevenMs - 1, 0, 'daily')).toBeNull();
  expect(digestPeriod(sevenMs, 0, 'daily')).toEqual({ fromMs: sevenMs - DAY_MS, toMs: sevenMs });
  // At 10:00 UTC it is 6:00 in New York.
  expect(digestPeriod(START_MS, -4 * HOUR_MS, 'daily')).toBeNull();
  expect(digestPeriod(START_MS + HOUR_MS, -4 * HOUR_MS, 'daily')?.toMs).toBe(START_MS + HOUR_MS);
  const days = Array.from({ length: 14 }, (_, index) => digestPeriod(START_MS + index * DAY_MS, 0, 'weekly') !== null);
  // Mondays are 23 and 30 November.
  expect(days.flatMap((isDue, index) => (isDue ? [index] : []))).toEqual([3, 10]);
  const monday = sevenMs + 3 * DAY_MS;
  expect(digestPeriod(monday + HOUR_MS, 0, 'weekly')).toEqual({ fromMs: monday - 7 * DAY_MS, toMs: monday });
});

it('tells a change from chance', () => {
  expect(changeSentence(quality(1000, 60), quality(1000, 20))).toMatch(
    /^That was 2 % of 1000 calls before: it got worse/,
  );
  expect(changeSentence(quality(1000, 20), quality(1000, 60))).toMatch(/it got better/);
  expect(changeSentence(quality(100, 6), quality(100, 4))).toMatch(/no change that chance does not explain/);
  expect(changeSentence(quality(10, 6), quality(10, 4))).toMatch(/too few calls/);
  expect(changeSentence(quality(10, 6), null)).toBe('There is no earlier period to compare with.');
});

it('says the same as text and as HTML, in which no name is a tag', () => {
  const message = digestMessage({
    id: 'digest-daily-2026-11-20',
    atMs: START_MS,
    host: 'pbx1',
    period: 'daily',
    fromMs: START_MS - DAY_MS,
    toMs: START_MS,
    now: quality(200, 10),
    before: quality(100, 2),
    endpoints: [
      {
        ...quality(50, 9),
        endpoint: 'PJSIP/<b>x',
        ownFaultCalls: 7,
        lossPercent: 4.25,
        jitterMeanMs: null,
        rttMeanMs: 120.4,
      },
      { ...quality(150, 0), endpoint: 'PJSIP/good', ownFaultCalls: 0, lossPercent: 0, jitterMeanMs: 1, rttMeanMs: 20 },
    ],
    endpointsBefore: [
      { ...quality(400, 4), endpoint: 'PJSIP/<b>x', ownFaultCalls: 2, lossPercent: 0, jitterMeanMs: 1, rttMeanMs: 1 },
    ],
    devices: [
      { name: 'Yealink T46S 66.85', legs: 40, judgedLegs: 40, badLegs: 2, mesMean: 4.1 },
      { name: 'Snom D785 <i>', legs: 10, judgedLegs: 8, badLegs: 4, mesMean: 3.25 },
      { name: 'Gigaset N510', legs: 30, judgedLegs: 30, badLegs: 0, mesMean: 4.3 },
    ],
    devicesBefore: [
      { name: 'Yealink T46S 66.85', legs: 40, judgedLegs: 40, badLegs: 2, mesMean: 4.1 },
      { name: 'Gigaset N510', legs: 1, judgedLegs: 1, badLegs: 0, mesMean: 4.3 },
    ],
    sites: [{ name: 'Bern', legs: 9, judgedLegs: 9, badLegs: 3, mesMean: null }],
    alerts: [],
    url: 'https://pbx.example.com',
  });
  expect(message.subject).toBe('pbx1: 200 calls, 5 % bad (day to 2026-11-20 10:00:00 UTC)');
  expect(message.text).toContain('Bad: 5 % (10 calls).');
  expect(message.text).toMatch(/^PJSIP\/<b>x +50 +18 % +2\.90 +4\.3 % +– +120 ms$/m);
  expect(message.text).not.toContain('PJSIP/good');
  // 4 of 8 judged legs, before 2 of 40.
  expect(message.text).toMatch(
    /^The worst devices:\n.*\nSnom D785 <i> +10 +50 % +3\.25\nYealink T46S 66\.85 +40 +5 % +4\.10\n\n/m,
  );
  expect(message.text).toMatch(/^The worst sites:\n.*\nBern +9 +33\.3 % +–$/m);
  expect(message.text).toContain(
    'What changed:\n  PJSIP/<b>x got worse: 1 % bad before, 18 % now.\n  New: Snom D785 <i> (10 legs).\n\n',
  );
  expect(message.html).toContain('Snom D785 &lt;i&gt;');
  expect(message.html).not.toContain('<i>');
  expect(message.html).toContain('PJSIP/&lt;b&gt;x');
  expect(message.html).not.toContain('<b>');
  expect(message.html).toContain('Bad: 5 % (10 calls).');
  expect(message.text.split('\n').every((line) => line.length <= 120)).toBe(true);
});
