import { describe, expect, it } from 'vitest';
import { CallHabit } from '../../../src/alerting/rules/call-habit.ts';
import { dueNews, isQuiet } from '../../../src/alerting/messages/gather.ts';
import { judge } from '../../../src/alerting/rules/judge.ts';
import { replay } from '../../../src/alerting/rules/replay.ts';
import { ReportingHabit } from '../../../src/alerting/rules/reporting-habit.ts';
import { sights } from '../../../src/alerting/rules/rule-value.ts';
import { alertJson, alertMessage } from '../../../src/alerting/messages/words.ts';
import { loadSettings } from '../../../src/config/settings.ts';
import type { Alert, AlertRule, LegSample } from '../../../src/model/alert.ts';

/** 2026-11-20T10:00:00.000Z */
const START_MS = 1_795_168_800_000;
const MINUTE_MS = 60_000;
const LOGIN = '[ami]\nusername = mes\nsecret = secret\n';

function ruleOf(text: string): AlertRule {
  const { alerts } = loadSettings(`${LOGIN}[alert:mine]\n${text}`, 'mes.conf', {});
  const rule = alerts.rules.find(({ name }) => name === 'mine');
  if (rule === undefined) throw new Error('the rule is missing');
  return rule;
}

let counted = 0;

function leg(part: Partial<LegSample> = {}): LegSample {
  const uniqueid = `${++counted}.1`;
  return {
    linkedid: uniqueid,
    uniqueid,
    endpoint: 'PJSIP/carrier',
    startedAtMs: START_MS - MINUTE_MS,
    endedAtMs: START_MS,
    answered: true,
    verdict: 'good',
    mes: 4.4,
    lossPercent: 0,
    jitterMs: 1,
    rttMs: 20,
    hasFarReports: true,
    badSinceMs: null,
    site: null,
    faultPlace: null,
    ...part,
  };
}

const AROUND = {
  nowMs: START_MS + 1,
  amiDownSinceMs: null,
  watchedSinceMs: 0,
  usedToReport: () => true,
  calls: null,
  reach: null,
};

function valueOf(rule: AlertRule, legs: readonly LegSample[]): number | null | undefined {
  return sights(rule, legs, AROUND)[0]?.value;
}

/** Runs a rule over moments, each with the legs of its window; what began and ended at which. */
class Run {
  readonly told: string[] = [];
  alerts: Alert[] = [];
  #ids = 0;

  step(rule: AlertRule, legs: readonly LegSample[], nowMs: number): void {
    const open = this.alerts.filter(({ clearedAtMs }) => clearedAtMs === null);
    const changed = judge(rule, open, sights(rule, legs, { ...AROUND, nowMs }), nowMs, () => `a${++this.#ids}`);
    for (const alert of changed) {
      if (alert.clearedAtMs === nowMs) this.told.push(`${alert.subject} over`);
      else if (!open.some(({ id }) => id === alert.id)) this.told.push(`${alert.subject} ${alert.value}`);
    }
    const ids = new Set(changed.map(({ id }) => id));
    this.alerts = [...this.alerts.filter(({ id }) => !ids.has(id)), ...changed];
  }
}

describe('what a rule sees', () => {
  it('counts calls, not channels, and neither too short ones nor ones without RTCP', () => {
    const rule = ruleOf('what = bad-calls\ncalls = 4\nraise = 25');
    const calls = [
      leg({ linkedid: 'a', verdict: 'bad' }),
      leg({ linkedid: 'a', verdict: 'good' }),
      leg({ verdict: 'one-way-rx' }),
      leg(),
      leg({ verdict: 'poor' }),
    ];
    const unjudged = [leg({ verdict: 'too-short' }), leg({ verdict: 'no-rtcp' }), leg({ verdict: null })];
    expect(valueOf(rule, [...calls, ...unjudged])).toBe(50);
    expect(valueOf(rule, [...calls.slice(0, 4), ...unjudged])).toBeNull();
  });

  it('takes the 5th percentile by nearest rank, and means of what is known', () => {
    const mes = Array.from({ length: 40 }, (_, index) => leg({ mes: 2 + index * 0.05 }));
    expect(valueOf(ruleOf('what = p5\ncalls = 40\nraise = 3'), mes)).toBeCloseTo(2.05, 9);
    const measured = [leg({ lossPercent: 4, rttMs: null }), leg({ lossPercent: 1, rttMs: 300 })];
    expect(valueOf(ruleOf('what = loss\ncalls = 2\nraise = 3'), measured)).toBe(2.5);
    expect(valueOf(ruleOf('what = rtt\ncalls = 1\nraise = 3'), measured)).toBe(300);
    expect(valueOf(ruleOf('what = rtt\ncalls = 2\nraise = 3'), measured)).toBeNull();
  });

  it('looks at its endpoints and its time alone, and never at Local channels', () => {
    const rule = ruleOf('what = bad-calls\ncalls = 1\nover = 10m\nendpoint = PJSIP/carrier*, PJSIP/b');
    const seen = sights(
      rule,
      [
        leg({ endpoint: 'PJSIP/carrier2', verdict: 'bad' }),
        leg({ endpoint: 'PJSIP/b' }),
        leg({ endpoint: 'PJSIP/bob', verdict: 'bad' }),
        leg({ endpoint: 'Local/carrier', verdict: 'bad' }),
        leg({ endpoint: 'PJSIP/b', verdict: 'bad', endedAtMs: START_MS - 10 * MINUTE_MS }),
      ],
      AROUND,
    );
    expect(seen.map(({ subject, value }) => [subject, value])).toEqual([
      ['PJSIP/carrier2', 100],
      ['PJSIP/b', 0],
    ]);
  });

  it('takes the endpoints of a site together, and leaves out those of which nobody said where they are', () => {
    const rule = ruleOf('what = bad-calls\ncalls = 2\nraise = 50\nby = site');
    const legs = [
      leg({ endpoint: 'PJSIP/a', site: 'Bern', verdict: 'bad' }),
      leg({ endpoint: 'PJSIP/b', site: 'Bern' }),
      leg({ endpoint: 'PJSIP/c', site: 'Berlin' }),
      leg({ endpoint: 'PJSIP/d', site: 'Berlin' }),
      leg({ endpoint: 'PJSIP/e', verdict: 'bad' }),
      leg({ endpoint: 'PJSIP/e', verdict: 'bad' }),
    ];
    expect(sights(rule, legs, AROUND).map(({ subject, value }) => [subject, value])).toEqual([
      ['Bern', 50],
      ['Berlin', 0],
    ]);
    const run = new Run();
    run.step(rule, legs, START_MS + MINUTE_MS);
    expect(run.alerts.map((alert) => alertJson(alert))).toMatchObject([{ endpoint: null, site: 'Bern', value: 50 }]);
    const by = ruleOf('what = bad-calls\ncalls = 2\nraise = 50');
    run.step(by, legs, START_MS + MINUTE_MS);
    const others = run.alerts.filter(({ subject }) => subject !== 'Bern').map((alert) => alertJson(alert));
    expect(others).toMatchObject([{ endpoint: 'PJSIP/e', site: null, value: 100 }]);
  });

  it('counts a call that is up once it has been bad for long enough', () => {
    const rule = ruleOf('what = bad-live\nover = 20s');
    const up = { endedAtMs: null, verdict: 'bad' } as const;
    expect(valueOf(rule, [leg({ ...up, badSinceMs: AROUND.nowMs - 19_999 })])).toBe(0);
    expect(valueOf(rule, [leg({ ...up, badSinceMs: AROUND.nowMs - 20_000 })])).toBe(1);
    expect(valueOf(rule, [leg({ verdict: 'bad' })])).toBeNull();
  });
});

describe('an alert', () => {
  const rule = ruleOf('what = bad-calls\ncalls = 4\nraise = 50\nclear = 25');
  const calls = (bad: number, all: number): LegSample[] =>
    Array.from({ length: all }, (_, index) => leg(index < bad ? { verdict: 'bad', faultPlace: 'caller-network' } : {}));

  it('begins at one threshold and is over at the other', () => {
    const run = new Run();
    const shares = [
      [1, 4],
      [2, 4],
      [2, 5],
      [2, 7],
      [3, 8],
      [1, 4],
      [1, 3],
      [4, 4],
    ] as const;
    for (const [minute, [bad, all]] of shares.entries()) run.step(rule, calls(bad, all), START_MS + minute * MINUTE_MS);
    expect(run.told).toEqual(['PJSIP/carrier 50', 'PJSIP/carrier over', 'PJSIP/carrier 100']);
    const [first] = run.alerts;
    expect(first).toMatchObject({
      worst: 50,
      clearedBecause: 'better',
      place: 'caller-network',
      sinceMs: START_MS - MINUTE_MS,
    });
    expect(first?.clearedAtMs).toBe(START_MS + 5 * MINUTE_MS);
    // 2, 2, 2, 3 and 1 other bad calls.
    expect(first?.calls).toBe(10);
  });

  it('is not over because there are no calls, but for a day without any', () => {
    const run = new Run();
    run.step(rule, calls(4, 4), START_MS);
    run.step(rule, [], START_MS + 60 * MINUTE_MS);
    run.step(rule, calls(0, 3), START_MS + 120 * MINUTE_MS);
    expect(run.alerts[0]).toMatchObject({ value: null, worst: 100, clearedAtMs: null });
    run.step(rule, [], START_MS + 24 * 60 * MINUTE_MS - 1);
    expect(run.told).toEqual(['PJSIP/carrier 100']);
    run.step(rule, [], START_MS + 24 * 60 * MINUTE_MS);
    expect(run.told).toEqual(['PJSIP/carrier 100', 'PJSIP/carrier over']);
    expect(run.alerts[0]?.clearedBecause).toBe('no-calls');
  });
});

describe('telling', () => {
  const rule = ruleOf('what = bad-calls\nquiet = 22:00-06:30\nagain = 1h');
  const alert = (part: Partial<Alert> = {}): Alert => ({
    id: 'a1',
    rule: 'mine',
    what: 'bad-calls',
    subject: 'PJSIP/carrier',
    sinceMs: START_MS - 5 * MINUTE_MS,
    raisedAtMs: START_MS,
    clearedAtMs: null,
    clearedBecause: null,
    value: 50,
    worst: 60,
    calls: 2,
    linkedids: ['1.1', '2.1'],
    place: 'callee-network',
    toldAtMs: null,
    endToldAtMs: null,
    ...part,
  });
  const due = (
    alerts: readonly Alert[],
    nowMs: number,
    more: { last?: { atMs: number; alerts: number }; minute?: number; rules?: AlertRule[] } = {},
  ) =>
    dueNews({ alerts, rules: more.rules ?? [rule], nowMs, minuteOfDay: more.minute ?? 600, last: more.last ?? null });

  it('waits some seconds for more, and not for ever', () => {
    expect(due([alert()], START_MS + 4999)).toEqual([]);
    expect(due([alert()], START_MS + 5000)).toEqual([alert({ toldAtMs: START_MS + 5000 })]);
    const storm = Array.from({ length: 200 }, (_, index) =>
      alert({ id: `a${index}`, raisedAtMs: START_MS + index * 100 }),
    );
    expect(due(storm, START_MS + 19_999)).toEqual([]);
    expect(due(storm, START_MS + 20_000)).toHaveLength(200);
  });

  it('rests after a message, longer after a storm', () => {
    const nowMs = START_MS + 10 * MINUTE_MS;
    expect(due([alert()], nowMs, { last: { atMs: nowMs - 9999, alerts: 1 } })).toEqual([]);
    expect(due([alert()], nowMs, { last: { atMs: nowMs - 10_000, alerts: 2 } })).toHaveLength(1);
    expect(due([alert()], nowMs, { last: { atMs: nowMs - 299_999, alerts: 3 } })).toEqual([]);
    expect(due([alert()], nowMs, { last: { atMs: nowMs - 300_000, alerts: 3 } })).toHaveLength(1);
  });

  it('tells nothing twice, and again only as often as the rule says', () => {
    const told = alert({ toldAtMs: START_MS });
    expect(due([told], START_MS + 60 * MINUTE_MS - 1)).toEqual([]);
    expect(due([told], START_MS + 60 * MINUTE_MS + 5000)).toEqual([
      { ...told, toldAtMs: START_MS + 60 * MINUTE_MS + 5000 },
    ]);
    const over = alert({ toldAtMs: START_MS, clearedAtMs: START_MS + MINUTE_MS, clearedBecause: 'better' });
    expect(due([over], START_MS + 2 * MINUTE_MS)).toEqual([{ ...over, endToldAtMs: START_MS + 2 * MINUTE_MS }]);
    expect(due([{ ...over, endToldAtMs: START_MS + 2 * MINUTE_MS }], START_MS + 9 * MINUTE_MS)).toEqual([]);
  });

  it('keeps quiet in quiet hours, also over midnight, and forgets nothing of them', () => {
    expect([1319, 1320, 0, 389, 390].map((minute) => isQuiet({ fromMinute: 1320, toMinute: 390 }, minute))).toEqual([
      false,
      true,
      true,
      true,
      false,
    ]);
    const over = alert({ clearedAtMs: START_MS + MINUTE_MS, clearedBecause: 'better' });
    expect(due([over], START_MS + 9 * MINUTE_MS, { minute: 60 })).toEqual([]);
    expect(due([over], START_MS + 9 * MINUTE_MS, { minute: 390 })).toHaveLength(1);
  });

  it('sends nothing of a rule that is only shown, but for the end of what was told', () => {
    const shown = [{ ...rule, send: false }];
    expect(due([alert()], START_MS + 5000, { rules: shown })).toEqual([]);
    const over = alert({ toldAtMs: START_MS, clearedAtMs: START_MS + MINUTE_MS });
    expect(due([over], START_MS + 2 * MINUTE_MS, { rules: shown })).toHaveLength(1);
  });

  it('makes one message: what, since when, which calls, where, and when it was over', () => {
    const frame = {
      id: 'm1',
      atMs: START_MS,
      host: 'pbx1',
      rules: [rule],
      linkOf: ({ id }: Alert) => `http://pbx1/a/${id}`,
    };
    const one = alertMessage([alert()], frame);
    expect(one.subject).toBe('pbx1: mine at PJSIP/carrier: 50 % of the calls are bad');
    expect(one.text).toBe(
      `mine at PJSIP/carrier: 50 % of the calls are bad
  Since 2026-11-20 09:55:00 UTC.
  The fault probably lies in the network on the callee's side.
  2 calls: http://pbx1/a/a1

asterisk-mes on pbx1, 2026-11-20 10:00:00 UTC
`,
    );
    const over = alertMessage([alert({ clearedAtMs: START_MS, clearedBecause: 'better' })], frame);
    expect(over.text).toContain('  Over at 2026-11-20 10:00:00 UTC. At its worst: 60 % of the calls are bad.\n');
    const storm = alertMessage(
      Array.from({ length: 200 }, (_, index) => alert({ id: `a${index}` })),
      frame,
    );
    expect(storm.subject).toBe('pbx1: 200 alerts (200 go on): mine');
    expect(storm.text).toContain('And 180 more:');
    expect(storm.text.length).toBeLessThan(10_000);
    expect((JSON.parse(storm.json) as { alerts: unknown[] }).alerts).toHaveLength(200);
  });
});

describe('a rule tried on the past', () => {
  /** A call every two minutes, each of one minute; of a quiet time one in forty is bad. */
  function* days(count: number, badFromMs: number, badToMs: number): Generator<LegSample> {
    for (let index = 0; index < count * 720; index++) {
      const endedAtMs = START_MS + index * 2 * MINUTE_MS;
      const isBad = endedAtMs >= badFromMs && endedAtMs < badToMs ? index % 2 === 0 : index % 40 === 0;
      yield leg({ startedAtMs: endedAtMs - MINUTE_MS, endedAtMs, verdict: isBad ? 'bad' : 'good' });
    }
  }
  const rule = ruleOf('what = bad-calls');
  const until = (toMs: number) => ({ fromMs: START_MS, toMs, habit: new ReportingHabit(), calls: new CallHabit() });
  const END_MS = START_MS + 30 * 1440 * MINUTE_MS;

  it('raises nothing in a quiet month', () => {
    expect([...replay(rule, days(30, 0, 0), until(END_MS))]).toEqual([]);
  });

  it('finds two bad hours where they are, and only these', () => {
    const fromMs = START_MS + 12 * 1440 * MINUTE_MS;
    const alerts = [...replay(rule, days(30, fromMs, fromMs + 120 * MINUTE_MS), until(END_MS))];
    expect(alerts).toHaveLength(1);
    // Of thirty calls of an hour six are 20 %: with one of them from before, five more come in twenty minutes.
    const [alert] = alerts;
    expect(alert?.raisedAtMs).toBeGreaterThan(fromMs + 14 * MINUTE_MS);
    expect(alert?.raisedAtMs).toBeLessThan(fromMs + 26 * MINUTE_MS);
    expect(alert?.clearedAtMs).toBeGreaterThan(fromMs + 120 * MINUTE_MS);
    expect(alert?.clearedAtMs).toBeLessThan(fromMs + 182 * MINUTE_MS);
    expect(alert?.worst).toBeGreaterThan(45);
    expect(alert?.worst).toBeLessThan(55);
  });

  it('finds an endpoint that always sent reports and sends none any more, and no other', () => {
    const silent = ruleOf('what = no-reports');
    const calls: LegSample[] = [];
    for (let index = 0; index < 400; index++) {
      const endedAtMs = START_MS + index * 10 * MINUTE_MS;
      const common = { startedAtMs: endedAtMs - MINUTE_MS, endedAtMs };
      const hasFarReports = index < 300;
      calls.push(
        leg({ ...common, endpoint: 'PJSIP/phone', hasFarReports, verdict: hasFarReports ? 'good' : 'no-rtcp' }),
      );
      calls.push(leg({ ...common, endpoint: 'PJSIP/never', hasFarReports: false, verdict: 'no-rtcp' }));
      calls.push(leg({ ...common, endpoint: 'PJSIP/sometimes', hasFarReports: index % 3 > 0 }));
    }
    const alerts = [...replay(silent, calls, until(START_MS + 4000 * MINUTE_MS))];
    expect(alerts.map(({ subject }) => subject)).toEqual(['PJSIP/phone']);
    // Nine of ten calls of two hours, with one every ten minutes.
    expect(alerts[0]?.raisedAtMs).toBeGreaterThan(START_MS + 3090 * MINUTE_MS);
    expect(alerts[0]?.raisedAtMs).toBeLessThan(START_MS + 3130 * MINUTE_MS);
  });
});
