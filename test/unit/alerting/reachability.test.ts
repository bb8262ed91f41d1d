import { describe, expect, it } from 'vitest';
import { alertJson, alertMessage } from '../../../src/alerting/messages/words.ts';
import { judge } from '../../../src/alerting/rules/judge.ts';
import { type EndpointState, Reachability } from '../../../src/alerting/rules/reachability.ts';
import { sights } from '../../../src/alerting/rules/rule-value.ts';
import { loadSettings } from '../../../src/config/settings.ts';
import type { Alert, AlertRule } from '../../../src/model/alert.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** 2026-09-07T00:00:00Z. */
const START_MS = 1_788_739_200_000;

function ruleOf(text = ''): AlertRule {
  const conf = `[ami]\nusername = mes\nsecret = secret\n[alert:mine]\nwhat = unreachable\n${text}`;
  const rule = loadSettings(conf, 'mes.conf', {}).alerts.rules.find(({ name }) => name === 'mine');
  if (rule === undefined) throw new Error('the rule is missing');
  return rule;
}

/** A PBX whose endpoints a rule watches every half minute. */
class Watch {
  nowMs = START_MS;
  reach = new Reachability();
  amiDownSinceMs: number | null = null;
  readonly alerts = new Map<string, Alert>();
  readonly rule: AlertRule;
  sites: Readonly<Record<string, string>> = {};

  constructor(rule: AlertRule) {
    this.rule = rule;
  }

  say(state: EndpointState | null, ...endpoints: readonly string[]): void {
    for (const endpoint of endpoints) this.reach.take(endpoint, state, this.nowMs);
  }

  pass(ms: number): void {
    const endMs = this.nowMs + ms;
    for (; this.nowMs < endMs; this.nowMs += 30_000) this.look();
  }

  look(): void {
    const { nowMs, reach, amiDownSinceMs } = this;
    const calls = { siteOf: (endpoint: string) => this.sites[endpoint] ?? null };
    const common = { nowMs, amiDownSinceMs, watchedSinceMs: START_MS, usedToReport: () => false, calls: null, reach };
    const seen =
      this.rule.by === 'site'
        ? reach.sights(this.rule, common, (endpoint) => calls.siteOf(endpoint))
        : sights(this.rule, [], common);
    const open = [...this.alerts.values()].filter(({ clearedAtMs }) => clearedAtMs === null);
    for (const alert of judge(this.rule, open, seen, nowMs, () => `a${this.alerts.size}`))
      this.alerts.set(alert.id, alert);
  }

  /** `subject from to`, in minutes since the start. */
  get story(): string[] {
    const minutes = (ms: number | null): string => (ms === null ? '…' : String((ms - START_MS) / MINUTE_MS));
    return [...this.alerts.values()].map(
      ({ subject, sinceMs, raisedAtMs, clearedAtMs }) =>
        `${subject} since ${minutes(sinceMs)}: ${minutes(raisedAtMs)}-${minutes(clearedAtMs)}`,
    );
  }
}

const NAMED = 'endpoint = PJSIP/*\n';

describe('an endpoint that Asterisk cannot reach', () => {
  it('is told after five minutes, since when, and that it is back', () => {
    const watch = new Watch(ruleOf(NAMED));
    watch.say('reachable', 'PJSIP/a', 'PJSIP/b');
    watch.pass(10 * MINUTE_MS);
    watch.say('unreachable', 'PJSIP/a');
    watch.pass(4 * MINUTE_MS);
    expect(watch.story).toEqual([]);
    watch.pass(6 * MINUTE_MS);
    expect(watch.story).toEqual(['PJSIP/a since 10: 15-…']);
    watch.say('reachable', 'PJSIP/a');
    watch.pass(MINUTE_MS);
    expect(watch.story).toEqual(['PJSIP/a since 10: 15-20']);
  });

  it('is no alert while it is away for a moment, is in a call, never registers, or is unknown', () => {
    const watch = new Watch(ruleOf(NAMED));
    watch.say('reachable', 'PJSIP/restarts', 'PJSIP/busy', 'PJSIP/deleted');
    // An inbound trunk without a contact: its calls alone make it "in use".
    watch.say('unreachable', 'PJSIP/inbound');
    for (let turn = 0; turn < 10; turn++) {
      watch.say('in-use', 'PJSIP/inbound', 'PJSIP/busy');
      watch.say('unreachable', 'PJSIP/restarts');
      watch.pass(4 * MINUTE_MS);
      watch.say('reachable', 'PJSIP/restarts');
      watch.say('unreachable', 'PJSIP/inbound');
      watch.pass(30 * MINUTE_MS);
    }
    watch.say('unreachable', 'PJSIP/deleted');
    watch.say(null, 'PJSIP/deleted');
    watch.pass(HOUR_MS);
    expect(watch.story).toEqual([]);
    expect(watch.reach.isReachable('PJSIP/inbound')).toBeNull();
    expect(watch.reach.isReachable('PJSIP/deleted')).toBeNull();
    expect(watch.reach.isReachable('PJSIP/busy')).toBe(true);
  });

  it('counts without being named only if it was always there', () => {
    const watch = new Watch(ruleOf());
    watch.say('reachable', 'PJSIP/desk', 'PJSIP/laptop');
    // Three working days; the laptop is closed at night.
    for (let day = 0; day < 3; day++) {
      watch.say('reachable', 'PJSIP/laptop');
      watch.pass(10 * HOUR_MS);
      watch.say('unreachable', 'PJSIP/laptop');
      watch.pass(14 * HOUR_MS);
    }
    expect(watch.story).toEqual([]);
    watch.say('unreachable', 'PJSIP/desk');
    watch.pass(2 * DAY_MS);
    // It goes on, however long it lasts: what is usual is what was before.
    expect(watch.story).toEqual([`PJSIP/desk since ${(3 * DAY_MS) / MINUTE_MS}: ${(3 * DAY_MS) / MINUTE_MS + 5}-…`]);
    watch.pass(13 * DAY_MS);
    expect([...watch.alerts.values()]).toMatchObject([{ clearedBecause: 'no-calls' }]);
  });

  it('goes on over a restart, is neither told twice nor forgotten, and time without AMI says nothing', () => {
    const watch = new Watch(ruleOf());
    watch.say('reachable', 'PJSIP/a', 'PJSIP/b');
    watch.pass(2 * DAY_MS);
    watch.say('unreachable', 'PJSIP/a');
    watch.pass(10 * MINUTE_MS);
    expect(watch.alerts.size).toBe(1);

    const stored = watch.reach.usual(watch.nowMs);
    expect(stored.map(([endpoint]) => endpoint)).toEqual(['PJSIP/a', 'PJSIP/b']);
    watch.reach = new Reachability();
    // The list of states comes before the history has answered. b went away meanwhile.
    watch.say('unreachable', 'PJSIP/a', 'PJSIP/b');
    watch.reach.restore(JSON.parse(JSON.stringify(stored)));
    watch.pass(4 * MINUTE_MS);
    expect([...watch.alerts.values()]).toMatchObject([{ subject: 'PJSIP/a', clearedAtMs: null }]);

    watch.reach.linkLost(watch.nowMs);
    watch.amiDownSinceMs = watch.nowMs;
    watch.pass(HOUR_MS);
    expect(watch.alerts.size).toBe(1);
    watch.amiDownSinceMs = null;
    watch.say('unreachable', 'PJSIP/a', 'PJSIP/b');
    watch.pass(MINUTE_MS);
    expect([...watch.alerts.values()]).toMatchObject([
      { subject: 'PJSIP/a', clearedAtMs: null },
      { subject: 'PJSIP/b', clearedAtMs: null },
    ]);
  });

  it('is one of many at a site whose line is cut: one alert, over when enough are back', () => {
    const phones = Array.from({ length: 20 }, (_, index) => `PJSIP/${index}`);
    const watch = new Watch(ruleOf(`${NAMED}by = site\nraise = 10\nclear = 2\n`));
    watch.sites = Object.fromEntries(phones.map((phone) => [phone, 'Lyon']));
    watch.say('reachable', ...phones);
    watch.pass(MINUTE_MS);
    watch.say('unreachable', ...phones.slice(0, 9));
    watch.pass(10 * MINUTE_MS);
    expect(watch.story).toEqual([]);
    watch.say('unreachable', ...phones.slice(9));
    watch.pass(10 * MINUTE_MS);
    expect(watch.story).toEqual(['Lyon since 1: 16-…']);
    expect([...watch.alerts.values()]).toMatchObject([{ worst: 20, value: 20 }]);
    watch.say('reachable', ...phones.slice(0, 15));
    watch.pass(MINUTE_MS);
    expect([...watch.alerts.values()]).toMatchObject([{ clearedAtMs: null }]);
    watch.say('reachable', ...phones.slice(0, 18));
    watch.pass(MINUTE_MS);
    expect(watch.story).toEqual(['Lyon since 1: 16-22']);
  });
});

describe('what an alert says', () => {
  const alert: Alert = {
    id: 'a1',
    rule: 'gone',
    what: 'gone',
    subject: 'PJSIP/a',
    by: 'endpoint',
    sinceMs: START_MS,
    raisedAtMs: START_MS,
    clearedAtMs: null,
    clearedBecause: null,
    value: 12,
    worst: 12,
    calls: 0,
    linkedids: [],
    place: null,
    isReachable: null,
    toldAtMs: null,
    endToldAtMs: null,
  };

  it.each([
    [{}, 'no call was made or answered, where 12 are usual in that time'],
    [{ isReachable: true }, 'no call was made or answered, where 12 are usual in that time. Asterisk can reach it'],
    [
      { isReachable: false },
      'no call was made or answered, where 12 are usual in that time. Asterisk cannot reach it: it is not registered, or does not answer',
    ],
    [
      { what: 'no-reports', value: 100, isReachable: true },
      '100 % of the calls have no RTCP report from the far end, which used to send them. Asterisk can reach it',
    ],
    [{ what: 'unreachable', value: 1 }, 'Asterisk cannot reach it: it is not registered, or does not answer'],
    [{ what: 'unreachable', value: 3, by: 'site', subject: 'Lyon' }, 'Asterisk cannot reach 3 endpoints'],
  ] as const)('%o', (part, sentence) => {
    const said = { ...alert, ...part };
    expect(alertJson(said).sentence).toBe(sentence);
    expect(alertJson(said).reachable).toBe(said.isReachable);
    const message = alertMessage([said], { id: 'm', atMs: START_MS, host: 'pbx1', rules: [], linkOf: () => '' });
    expect(message.subject).toBe(`pbx1: gone at ${said.subject}: ${sentence}`);
  });

  it('an endpoint that fell silent before it went away', () => {
    const watch = new Watch(ruleOf(NAMED));
    watch.say('reachable', 'PJSIP/a');
    watch.pass(MINUTE_MS);
    expect(watch.reach.isReachable('PJSIP/a')).toBe(true);
    watch.say('unreachable', 'PJSIP/a');
    expect(watch.reach.isReachable('PJSIP/a')).toBe(false);
  });
});
