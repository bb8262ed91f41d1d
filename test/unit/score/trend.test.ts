import { describe, expect, it } from 'vitest';
import type { Course, HalfQuality } from '../../../src/model/ports.ts';
import { courseOf } from '../../../src/score/trend.ts';

/** Of `judged` calls so many were bad; of `scored` so many were among the lowest scores of both halves. */
interface Half {
  readonly judged?: number;
  readonly bad?: number;
  readonly scored?: number;
  readonly low?: number;
  readonly p5?: number | null;
}

function half({ judged = 0, bad = 0, scored = 0, low = 0, p5 = scored === 0 ? null : 4 }: Half): HalfQuality {
  return {
    calls: Math.max(judged, scored),
    judgedCalls: judged,
    badCalls: bad,
    badPercent: judged === 0 ? null : (100 * bad) / judged,
    scoredCalls: scored,
    lowCalls: low,
    mesP5: p5,
    mesMean: null,
    mesMedian: null,
    mesP25: null,
    mesP75: null,
    mesP95: null,
    mesWorst: null,
  };
}

const OPPOSITE: Readonly<Record<Course, Course>> = { better: 'worse', worse: 'better', steady: 'steady' };

describe('the course of calls', () => {
  it.each<[string, Half, Half, Course]>([
    // Both together 14 of 200: √(0.07 × 0.93 × 2/100) = 0.0361, and 0.10 is 2.77 of it.
    ['2 and 12 bad of 100', { judged: 100, bad: 2 }, { judged: 100, bad: 12 }, 'worse'],
    // 15 of 200: √(0.075 × 0.925 × 2/100) = 0.0372, and 0.09 is 2.42 of it.
    ['3 and 12 bad of 100', { judged: 100, bad: 3 }, { judged: 100, bad: 12 }, 'steady'],
    // 52 of 1050: √(0.0495 × 0.9505 × (1/1000 + 1/50)) = 0.0314, and 0.14 - 0.045 is 3.02 of it.
    ['45 bad of 1000 and 7 of 50', { judged: 1000, bad: 45 }, { judged: 50, bad: 7 }, 'worse'],
    // No chance at all (z 9.6), and nothing that anybody hears.
    ['1.0 % and 1.2 % bad of 500,000', { judged: 500_000, bad: 5000 }, { judged: 500_000, bad: 6000 }, 'steady'],
    ['1.0 % and 2.0 % bad of 500,000', { judged: 500_000, bad: 5000 }, { judged: 500_000, bad: 10_000 }, 'worse'],
    // 22 of 400: √(0.055 × 0.945 × 2/200) = 0.0228, and 0.07 is 3.07 of it.
    ['a 5th percentile that fell', { scored: 200, low: 4, p5: 3.2 }, { scored: 200, low: 18, p5: 3 }, 'worse'],
    ['one that fell by 0.09', { scored: 200, low: 4, p5: 3.2 }, { scored: 200, low: 18, p5: 3.11 }, 'steady'],
    // 13 of 400: √(0.0325 × 0.9675 × 2/200) = 0.0177, and 0.035 is 1.97 of it.
    ['one that fell by chance', { scored: 200, low: 3, p5: 3.2 }, { scored: 200, low: 10, p5: 2.5 }, 'steady'],
    ['all bad in both', { judged: 20, bad: 20 }, { judged: 20, bad: 20 }, 'steady'],
    ['none bad in either', { judged: 20 }, { judged: 20 }, 'steady'],
    // Without a score, as calls in which nobody was heard are.
    ['20 good and 20 bad without a score', { judged: 20 }, { judged: 20, bad: 20 }, 'worse'],
  ])('%s', (_, earlier, later, wanted) => {
    expect(courseOf(half(earlier), half(later))).toBe(wanted);
    expect(courseOf(half(later), half(earlier))).toBe(OPPOSITE[wanted]);
  });

  it('is worse where one measure got worse, though the other got better', () => {
    const earlier = { judged: 200, bad: 30, scored: 200, low: 4, p5: 3.2 };
    const later = { judged: 200, bad: 4, scored: 200, low: 18, p5: 3 };
    expect(courseOf(half(earlier), half(later))).toBe('worse');
    expect(courseOf(half(later), half(earlier))).toBe('worse');
    expect(courseOf(half(earlier), half({ ...later, low: 4, p5: 3.2 }))).toBe('better');
  });

  it.each<[string, Half, Half]>([
    ['no calls at all', {}, {}],
    ['nothing in the earlier half', {}, { judged: 500, bad: 250, scored: 500, low: 50 }],
    ['19 calls in the later half', { judged: 500, scored: 500 }, { judged: 19, bad: 19, scored: 19, low: 19, p5: 1 }],
  ])('is not known with %s', (_, earlier, later) => {
    expect(courseOf(half(earlier), half(later))).toBe(null);
    expect(courseOf(half(later), half(earlier))).toBe(null);
  });
});
