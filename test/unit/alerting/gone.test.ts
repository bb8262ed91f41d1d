import { describe, expect, it } from 'vitest';
import { CallHabit, MOST_ENDPOINTS, QUARTER_MS } from '../../../src/alerting/rules/call-habit.ts';
import { judge } from '../../../src/alerting/rules/judge.ts';
import { replay } from '../../../src/alerting/rules/replay.ts';
import { ReportingHabit } from '../../../src/alerting/rules/reporting-habit.ts';
import { sights } from '../../../src/alerting/rules/rule-value.ts';
import { alertJson, alertMessage } from '../../../src/alerting/messages/words.ts';
import { loadSettings } from '../../../src/config/settings.ts';
import type { Alert, AlertRule, LegSample } from '../../../src/model/alert.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Monday, 2026-09-07T00:00:00Z. */
const MONDAY_MS = 1_788_739_200_000;
/** Of the month that is looked at; three weeks come before. */
const FROM_MS = MONDAY_MS + 21 * DAY_MS;
const TO_MS = FROM_MS + 30 * DAY_MS;

function ruleOf(text = ''): AlertRule {
  const settings = loadSettings(
    `[ami]\nusername = mes\nsecret = secret\n[alert:mine]\nwhat = gone\n${text}`,
    'mes.conf',
    {},
  );
  const rule = settings.alerts.rules.find(({ name }) => name === 'mine');
  if (rule === undefined) throw new Error('the rule is missing');
  return rule;
}

/** Numbers between 0 and 1, always the same ones (mulberry32). */
function made(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Fate {
  /** When the carrier takes no call. */
  readonly carrierGone?: readonly [fromMs: number, toMs: number];
  /** When PJSIP/phone7 is in a box. */
  readonly phoneGone?: readonly [fromMs: number, toMs: number];
  /** When nobody is in the office. */
  readonly holiday?: readonly [fromMs: number, toMs: number];
  /** Of all that is looked at. */
  readonly endMs?: number;
}

const within = (atMs: number, span: readonly [number, number] = [0, 0]): boolean => atMs >= span[0] && atMs < span[1];

/** An office: weekdays from eight to six with a break at noon, twenty phones, and calls over a carrier one after the other by chance. */
function office({ carrierGone, phoneGone, holiday, endMs = TO_MS }: Fate = {}, seed = 1): LegSample[] {
  const chance = made(seed);
  const legs: LegSample[] = [];
  /** The first of the two endpoints calls the other one. */
  const call = (endpoints: readonly string[], startedAtMs: number, endedAtMs: number, answered: boolean): void => {
    for (const [index, endpoint] of endpoints.entries()) leg(index, endpoint, startedAtMs, endedAtMs, answered);
  };
  const leg = (index: number, endpoint: string, startedAtMs: number, endedAtMs: number, answered: boolean): void => {
    legs.push({
      linkedid: String(startedAtMs),
      uniqueid: index === 0 ? String(startedAtMs) : `${startedAtMs}-${index}`,
      endpoint,
      site: endpoint === 'PJSIP/carrier' ? null : 'Bern',
      startedAtMs,
      endedAtMs,
      answered,
      verdict: answered ? 'good' : null,
      mes: answered ? 4.3 : null,
      lossPercent: 0,
      jitterMs: 1,
      rttMs: 20,
      hasFarReports: answered,
      badSinceMs: null,
      faultPlace: null,
    });
  };
  for (let atMs = MONDAY_MS; atMs < endMs;) {
    const hour = (atMs % DAY_MS) / HOUR_MS;
    const day = Math.floor((atMs - MONDAY_MS) / DAY_MS) % 7;
    const isOpen = day < 5 && hour >= 8 && hour < 18 && !within(atMs, holiday);
    // At noon a third.
    const perHour = !isOpen ? 0 : hour >= 12 && hour < 13 ? 20 : 60;
    if (perHour === 0) {
      atMs += QUARTER_MS;
      continue;
    }
    atMs += (-Math.log(1 - chance()) * HOUR_MS) / perHour;
    const lengthMs = 20_000 - Math.log(1 - chance()) * 150_000;
    const phone = `PJSIP/phone${Math.floor(chance() * 20)}`;
    const isOutgoing = chance() < 0.5;
    const endpoints = isOutgoing ? [phone, 'PJSIP/carrier'] : ['PJSIP/carrier', phone];
    if (within(atMs, carrierGone)) {
      // Nobody comes in; who dials out is refused at once.
      if (isOutgoing) call(endpoints, atMs, atMs + 2000, false);
    } else if (phone === 'PJSIP/phone7' && within(atMs, phoneGone)) {
      if (!isOutgoing) call(['PJSIP/carrier'], atMs, atMs + 30_000, false);
    } else call(endpoints, atMs, atMs + lengthMs, true);
  }
  return legs.toSorted((one, other) => (one.endedAtMs ?? 0) - (other.endedAtMs ?? 0));
}

function alertsIn(legs: readonly LegSample[], rule: AlertRule): Alert[] {
  const calls = new CallHabit();
  for (const leg of legs) if ((leg.endedAtMs ?? 0) < FROM_MS) calls.take(leg);
  const later = legs.filter(({ endedAtMs }) => (endedAtMs ?? 0) >= FROM_MS);
  // What nobody looks at any more is not silence.
  const toMs = Math.min(TO_MS, Math.floor((later.at(-1)?.endedAtMs ?? TO_MS) / HOUR_MS) * HOUR_MS);
  return [...replay(rule, later, { fromMs: FROM_MS, toMs, habit: new ReportingHabit(), calls })];
}

describe('what is gone', () => {
  it('is nothing in a quiet month with nights, weekends and a day on which nobody works', () => {
    // A Wednesday.
    const legs = office({ holiday: [FROM_MS + 9 * DAY_MS, FROM_MS + 10 * DAY_MS] });
    expect(legs.length).toBeGreaterThan(30_000);
    expect(alertsIn(legs, ruleOf())).toEqual([]);
    expect(alertsIn(legs, ruleOf('by = site'))).toEqual([]);
  });

  it('is a carrier that takes no calls for three hours, found within the hour, and over with the first call', () => {
    const fromMs = FROM_MS + 8 * DAY_MS + 9.4 * HOUR_MS;
    const alerts = alertsIn(office({ carrierGone: [fromMs, fromMs + 3 * HOUR_MS], endMs: fromMs + DAY_MS }), ruleOf());
    expect(alerts.map(({ subject }) => subject)).toEqual(['PJSIP/carrier']);
    const [alert] = alerts;
    expect(alert?.raisedAtMs).toBeGreaterThan(fromMs + 10 * MINUTE_MS);
    expect(alert?.raisedAtMs).toBeLessThan(fromMs + 60 * MINUTE_MS);
    // Calls that were up when it went end with their own time.
    expect(alert?.sinceMs).toBeLessThan(fromMs + 25 * MINUTE_MS);
    expect(alert?.clearedAtMs).toBeGreaterThan(fromMs + 3 * HOUR_MS);
    expect(alert?.clearedAtMs).toBeLessThan(fromMs + 3.3 * HOUR_MS);
    expect(alert).toMatchObject({ clearedBecause: 'better', calls: 0, linkedids: [] });
    // 60 an hour, of which as many are expected as the server is busy with trying: a quarter of the usual channels.
    expect(alert?.worst).toBeGreaterThan(30);
    expect(alert?.worst).toBeLessThan(150);
  });

  it('is a phone that was put into a box, over a weekend too, until nobody expects it any more', () => {
    // From Thursday noon on.
    const fromMs = FROM_MS + 3 * DAY_MS + 12 * HOUR_MS;
    const alerts = alertsIn(office({ phoneGone: [fromMs, TO_MS] }), ruleOf());
    expect(alerts.map(({ subject }) => subject)).toEqual(['PJSIP/phone7']);
    const [alert] = alerts;
    // Of three calls an hour ten are missing within a working day or so.
    expect(alert?.raisedAtMs).toBeGreaterThan(fromMs + 2 * HOUR_MS);
    expect(alert?.raisedAtMs).toBeLessThan(fromMs + 24 * HOUR_MS);
    const sinceMs = alert?.sinceMs ?? 0;
    expect(sinceMs).toBeGreaterThan(fromMs - 3 * HOUR_MS);
    expect(alert?.clearedAtMs).toBeGreaterThanOrEqual(sinceMs + 14 * DAY_MS);
    expect(alert?.clearedAtMs).toBeLessThan(sinceMs + 14 * DAY_MS + HOUR_MS);
    expect(alert?.clearedBecause).toBe('no-calls');
  });

  it('is a site whose line is cut while others go on, and a whole server that has no calls', () => {
    const fromMs = FROM_MS + 8 * DAY_MS + 9.4 * HOUR_MS;
    const cut = [fromMs, fromMs + 5 * HOUR_MS] as const;
    const endMs = fromMs + DAY_MS;
    const home = office({ endMs }).map((leg) => ({
      ...leg,
      linkedid: `${leg.linkedid}h`,
      endpoint: `${leg.endpoint}-home`,
    }));
    const bern = office({ holiday: cut, endMs }, 2);
    const both = [...bern, ...home.map((leg) => ({ ...leg, site: 'home' }))];
    const sorted = both.toSorted((one, other) => (one.endedAtMs ?? 0) - (other.endedAtMs ?? 0));
    const sites = alertsIn(sorted, ruleOf('by = site'));
    expect(sites.map((alert) => alertJson(alert))).toMatchObject([{ endpoint: null, site: 'Bern', status: 'over' }]);
    const all = alertsIn(bern, ruleOf('by = all'));
    expect(all.map((alert) => alertJson(alert))).toMatchObject([{ endpoint: null, site: null, status: 'over' }]);
    for (const alert of [...sites, ...all]) {
      expect(alert.raisedAtMs).toBeGreaterThan(fromMs + 10 * MINUTE_MS);
      expect(alert.raisedAtMs).toBeLessThan(fromMs + 75 * MINUTE_MS);
      expect(alert.clearedAtMs).toBeGreaterThan(fromMs + 5 * HOUR_MS);
      expect(alert.clearedAtMs).toBeLessThan(fromMs + 5.3 * HOUR_MS);
    }
  });

  it('is nobody who speaks all the time, nor anybody whom the rule does not name', () => {
    const fromMs = FROM_MS + 8 * DAY_MS + 9.4 * HOUR_MS;
    const legs = office({ carrierGone: [fromMs, fromMs + 3 * HOUR_MS], endMs: fromMs + DAY_MS });
    expect(alertsIn(legs, ruleOf('endpoint = PJSIP/phone*'))).toEqual([]);
    const [some] = legs.filter(({ endpoint }) => endpoint === 'PJSIP/carrier');
    if (some === undefined) throw new Error('there is no call over the carrier');
    const long = { ...some, linkedid: 'long', startedAtMs: fromMs - HOUR_MS, endedAtMs: fromMs + 2.95 * HOUR_MS };
    const withLong = [...legs, long].toSorted((one, other) => (one.endedAtMs ?? 0) - (other.endedAtMs ?? 0));
    expect(alertsIn(withLong, ruleOf())).toEqual([]);
  });
});

describe('an alert that something is gone', () => {
  const rule = ruleOf();
  const nowMs = FROM_MS + 8 * DAY_MS + 12 * HOUR_MS;
  const lastMs = nowMs - 2 * HOUR_MS;

  /** A call every minute in the three weeks before, and people who go on trying. */
  function habit(endsMs = lastMs): CallHabit {
    const calls = new CallHabit();
    for (let atMs = nowMs - 16 * DAY_MS; atMs <= nowMs; atMs += MINUTE_MS) {
      const common = { site: null, stretch: Math.floor(atMs / QUARTER_MS), legs: 1 };
      if (atMs <= endsMs) calls.add({ ...common, endpoint: 'PJSIP/trunk', alive: 1, lastAliveMs: atMs });
      else calls.add({ ...common, endpoint: 'PJSIP/trunk', alive: 0, lastAliveMs: null });
      calls.add({ ...common, endpoint: 'Local/600@queue', alive: 1, lastAliveMs: atMs });
    }
    return calls;
  }
  const around = {
    nowMs,
    amiDownSinceMs: null,
    watchedSinceMs: 0,
    usedToReport: () => true,
    calls: habit(),
    reach: null,
  };
  const see = (part: Partial<typeof around>) => sights(rule, [], { ...around, ...part });
  const begun = (): Alert => {
    const [alert] = judge(rule, [], see({}), nowMs, () => 'a1');
    if (alert === undefined) throw new Error('nothing was raised');
    return alert;
  };

  it('says how many calls are usual, since when, and has no link to calls', () => {
    expect(see({}).map(({ subject, value }) => [subject, value])).toEqual([['PJSIP/trunk', 120]]);
    const frame = { id: 'm1', atMs: nowMs, host: 'pbx1', rules: [rule], linkOf: () => 'never' };
    expect(alertMessage([begun()], frame).subject).toBe(
      'pbx1: mine at PJSIP/trunk: no call was made or answered, where 120 are usual in that time',
    );
    expect(alertMessage([begun()], frame).text).toBe(
      `mine at PJSIP/trunk: no call was made or answered, where 120 are usual in that time
  Since 2026-10-06 10:00:00 UTC.

asterisk-mes on pbx1, 2026-10-06 12:00:00 UTC
`,
    );
  });

  it('counts only the time in which calls would have been seen', () => {
    expect(see({ watchedSinceMs: nowMs - 30 * MINUTE_MS })[0]?.value).toBe(30);
    expect(see({ watchedSinceMs: nowMs - 9 * MINUTE_MS })[0]?.value).toBe(0);
    expect(sights(rule, [], { ...around, amiDownSinceMs: nowMs - 1000 })).toEqual([]);
    expect(sights(rule, [], { ...around, calls: null })).toEqual([]);
  });

  it('is not over because the evening has come, the sidecar started again or Asterisk cannot be reached', () => {
    const open = [begun()];
    for (const seen of [
      [],
      see({ watchedSinceMs: nowMs - MINUTE_MS }),
      sights(rule, [], { ...around, amiDownSinceMs: nowMs - 1000 }),
    ]) {
      expect(judge(rule, open, seen, nowMs + MINUTE_MS, () => 'a2')).toEqual([]);
    }
    const back = habit();
    back.isUp({ endpoint: 'PJSIP/trunk', answered: true }, nowMs + MINUTE_MS);
    expect(
      judge(rule, open, see({ calls: back, nowMs: nowMs + MINUTE_MS }), nowMs + MINUTE_MS, () => 'a2'),
    ).toMatchObject([{ id: 'a1', clearedAtMs: nowMs + MINUTE_MS, clearedBecause: 'better', value: 0, worst: 120 }]);
  });

  it('needs as many calls in the two weeks before as the rule says, and both weeks', () => {
    expect(sights(ruleOf('calls = 240'), [], around)[0]?.value).toBe(120);
    expect(sights(ruleOf('calls = 241'), [], around)[0]?.value).toBeNull();
    const oneWeek = new CallHabit();
    for (let atMs = nowMs - 8 * DAY_MS; atMs <= lastMs; atMs += MINUTE_MS) {
      const stretch = Math.floor(atMs / QUARTER_MS);
      oneWeek.add({ endpoint: 'PJSIP/trunk', site: null, stretch, legs: 1, alive: 1, lastAliveMs: atMs });
    }
    expect(sights(rule, [], { ...around, calls: oneWeek })[0]?.value).toBe(0);
  });

  it('keeps a bounded number of endpoints, and those of this fortnight', () => {
    const calls = new CallHabit();
    const call = (name: string, atMs: number) => {
      const stretch = Math.floor(atMs / QUARTER_MS);
      calls.add({ endpoint: name, site: null, stretch, legs: 1, alive: 1, lastAliveMs: atMs });
    };
    for (let index = 0; index < MOST_ENDPOINTS; index++) call(`PJSIP/${index}`, MONDAY_MS);
    call('PJSIP/new', MONDAY_MS + DAY_MS);
    expect([...calls.endpoints()].length).toBe(MOST_ENDPOINTS);
    expect(calls.leftOut).toBe(1);
    call('PJSIP/new', MONDAY_MS + 40 * DAY_MS);
    expect([...calls.endpoints()].map(({ endpoint }) => endpoint)).toEqual(['PJSIP/new']);
    expect(calls.leftOut).toBe(1);
  });
});
