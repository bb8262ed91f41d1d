import { expect, it } from 'vitest';
import { QUARTER_MS } from '../../../src/alerting/rules/call-habit.ts';
import { Reachability } from '../../../src/alerting/rules/reachability.ts';
import { alertMessage } from '../../../src/alerting/messages/words.ts';
import { ActiveAlerts, type AlertStore } from '../../../src/app/companions/alerts/active-alerts.ts';
import { loadSettings } from '../../../src/config/settings.ts';
import type { Alert, AlertMessage, AlertRule, EndedLegs, LegSample } from '../../../src/model/alert.ts';
import type { ChannelRecord } from '../../../src/model/record.ts';
import type { SampleSummary } from '../../../src/model/fields/field.ts';
import { mesProfile } from '../../../src/score/profiles.ts';
import { channelRecord, START_MS, streamRecord } from '../history/records.ts';

const TICK_MS = 100;
const REPORT_MS = 5000;
/** Of 250: 25 are 10 %. */
const USUAL_LOST = 25;

/** A PBX with calls that are up, whose far ends report every 5 s; from some time on a part of the packets is lost. */
class Pbx {
  lostPerReport = USUAL_LOST;
  readonly badFromMs = new Map<string, number>();
  readonly badToMs = new Map<string, number>();
  readonly begunMs = new Map<string, number>();

  begin(count: number, atMs: number): void {
    for (let index = 0; index < count; index++) this.begunMs.set(`${index}.1`, atMs - index * 17);
  }

  channel(uniqueid: string, nowMs: number): ChannelRecord {
    const begunMs = this.begunMs.get(uniqueid) ?? nowMs;
    const reports = Math.floor((nowMs - begunMs) / REPORT_MS);
    let lost = 0;
    for (let report = 1; report <= reports; report++) {
      const atMs = begunMs + report * REPORT_MS;
      const isBad =
        atMs - REPORT_MS >= (this.badFromMs.get(uniqueid) ?? Infinity) &&
        atMs <= (this.badToMs.get(uniqueid) ?? Infinity);
      if (isBad) lost += this.lostPerReport;
    }
    const summary = (mean: number): SampleSummary => ({
      last: mean,
      mean,
      min: mean,
      max: mean,
      stdev: 0,
      count: reports,
    });
    const media = { reports, packetsExpected: reports * 250, rttMs: summary(20), jitterMs: summary(2), deadReports: 0 };
    return {
      ...channelRecord(uniqueid),
      linkedid: uniqueid,
      endpoint: `PJSIP/phone${uniqueid.split('.')[0]}`,
      startedAtMs: begunMs,
      endedAtMs: null,
      onHold: false,
      verdict: 'good',
      streams: [
        streamRecord({ ...media, direction: 'rx', packetsLost: lost }),
        streamRecord({ ...media, direction: 'tx', reporter: 'remote', packetsLost: 0 }),
      ],
    };
  }
}

class Disk {
  readonly alerts = new Map<string, Alert>();
  readonly messages: AlertMessage[] = [];
  legs: LegSample[] = [];
  ends: EndedLegs[] = [];
  /** The history does not answer at this of the questions when endpoints had calls. */
  failsAt = 0;

  get store(): AlertStore {
    return {
      unfinished: async () =>
        [...this.alerts.values()].filter(
          ({ clearedAtMs, endToldAtMs }) => clearedAtMs === null || endToldAtMs === null,
        ),
      lastMessage: async () => {
        const last = this.messages.at(-1);
        return last === undefined ? null : { atMs: last.atMs, alerts: 1 };
      },
      legs: async ({ fromMs, toMs }) =>
        this.legs.filter(({ endedAtMs }) => (endedAtMs ?? 0) >= fromMs && (endedAtMs ?? 0) < toMs),
      ends: async ({ fromMs, toMs, endedBeforeMs, stretchMs }) => {
        if (--this.failsAt === 0) throw new Error('the history is locked');
        return this.ends.filter(({ stretch }) => {
          const atMs = stretch * stretchMs;
          return atMs >= fromMs && atMs < toMs && atMs < endedBeforeMs;
        });
      },
      save: async (alerts, message) => {
        for (const alert of alerts) this.alerts.set(alert.id, alert);
        if (message !== null) this.messages.push(message);
      },
    };
  }
}

interface World {
  readonly pbx: Pbx;
  readonly disk: Disk;
  nowMs: number;
  isThere: boolean;
}

function rulesOf(text: string): readonly AlertRule[] {
  return loadSettings(`[ami]\nusername = mes\nsecret = secret\n${text}`, 'mes.conf', {}).alerts.rules;
}

async function started(world: World, rules: readonly AlertRule[]): Promise<ActiveAlerts> {
  let ids = world.disk.alerts.size;
  const active = new ActiveAlerts({
    rules,
    recent: { profile: mesProfile('documented'), thresholds: { good: 4, fair: 3.6, poor: 3.1 } },
    live: {
      liveUniqueids: () => [...world.pbx.begunMs.keys()],
      liveMedia: (uniqueid) => (world.pbx.begunMs.has(uniqueid) ? world.pbx.channel(uniqueid, world.nowMs) : null),
    },
    calls: { call: async () => null },
    store: world.disk.store,
    reach: new Reachability(),
    isAsteriskThere: () => world.isThere,
    makeMessage: (alerts, atMs) =>
      alertMessage(alerts, { id: `m${atMs}`, atMs, host: 'pbx1', rules, linkOf: ({ id }) => `link-${id}` }),
    newId: () => `a${++ids}`,
    nowMs: () => world.nowMs,
    onProblem: (sentence) => expect.fail(sentence),
  });
  // As its companion does: again after a while.
  await active.restore().catch(() => active.restore());
  return active;
}

async function run(world: World, active: ActiveAlerts, seconds: number): Promise<void> {
  for (let count = 0; count < (seconds * 1000) / TICK_MS; count++) {
    world.nowMs += TICK_MS;
    active.tick(world.nowMs);
    if (count % 10 === 0) await Promise.resolve();
  }
}

const world = (): World => ({ pbx: new Pbx(), disk: new Disk(), nowMs: START_MS, isThere: true });
const SENT = rulesOf('[alert:bad-live]\nsend = yes\n');

it('tells of a call that turns bad after an hour within a minute, and that it is over', async () => {
  const here = world();
  here.pbx.begin(20, START_MS - 3_600_000);
  const active = await started(here, SENT);
  await run(here, active, 120);
  expect(here.disk.messages).toEqual([]);
  const onsetMs = here.nowMs;
  here.pbx.badFromMs.set('7.1', onsetMs);
  here.pbx.badToMs.set('7.1', onsetMs + 180_000);
  await run(here, active, 60);
  expect(here.disk.messages.map(({ subject }) => subject)).toEqual([
    'pbx1: bad-live at PJSIP/phone7: 1 call that is up is bad now',
  ]);
  const [told] = here.disk.messages;
  expect(told?.atMs).toBeGreaterThan(onsetMs + 15_000);
  expect(told?.atMs).toBeLessThanOrEqual(onsetMs + 60_000);
  expect([...here.disk.alerts.values()].map(({ rule, linkedids }) => [rule, linkedids])).toEqual([
    // Of twenty calls it is the worst one, too; that is shown only.
    ['p5', ['7.1']],
    ['bad-live', ['7.1']],
  ]);
  await run(here, active, 240);
  expect(here.disk.messages.map(({ subject }) => subject).slice(1)).toEqual(['pbx1: bad-live at PJSIP/phone7: over']);
  expect(here.disk.messages[1]?.atMs).toBeGreaterThan(onsetMs + 180_000);
  expect(here.disk.messages[1]?.atMs).toBeLessThan(onsetMs + 240_000);
});

it('tells within a minute also of a call that is only just bad, while another message has just gone', async () => {
  const delaysS: number[] = [];
  for (const apartS of [1, 6, 8, 11, 14]) {
    const here = world();
    // 8 %: the score is bad from some 6 % on.
    here.pbx.lostPerReport = 20;
    here.pbx.begin(2, START_MS - 3_600_000);
    const active = await started(here, SENT);
    await run(here, active, 30);
    const onsetMs = here.nowMs;
    here.pbx.badFromMs.set('0.1', onsetMs);
    here.pbx.badFromMs.set('1.1', onsetMs + apartS * 1000);
    await run(here, active, 60 + apartS);
    const toldMs = (phone: string) => here.disk.messages.find(({ text }) => text.includes(phone))?.atMs ?? Infinity;
    delaysS.push((toldMs('phone0') - onsetMs) / 1000, (toldMs('phone1') - onsetMs) / 1000 - apartS);
  }
  expect(Math.max(...delaysS)).toBeLessThanOrEqual(60);
  expect(Math.min(...delaysS)).toBeGreaterThan(15);
});

it('makes one message of a storm, and shows without sending what is not to be sent', async () => {
  const here = world();
  here.pbx.begin(100, START_MS - 600_000);
  const active = await started(here, rulesOf('[alert:bad-live]\nsend = yes\n'));
  await run(here, active, 30);
  const onsetMs = here.nowMs;
  for (const [index, uniqueid] of [...here.pbx.begunMs.keys()].entries())
    here.pbx.badFromMs.set(uniqueid, onsetMs + index * 80);
  await run(here, active, 200);
  expect(here.disk.messages).toHaveLength(1);
  expect(here.disk.messages[0]?.subject).toBe('pbx1: 100 alerts (100 go on): bad-live');
  // Of the rules that are only shown, those about shares were raised, too.
  expect(new Set([...here.disk.alerts.values()].map(({ rule }) => rule)).size).toBeGreaterThan(1);

  const shown = world();
  shown.pbx.begin(100, START_MS - 600_000);
  for (const uniqueid of shown.pbx.begunMs.keys()) shown.pbx.badFromMs.set(uniqueid, START_MS);
  await run(shown, await started(shown, rulesOf('')), 120);
  expect(shown.disk.messages).toEqual([]);
  expect([...shown.disk.alerts.values()].filter(({ rule }) => rule === 'bad-live')).toHaveLength(100);
});

it('tells after a restart nothing twice, and forgets nothing', async () => {
  const here = world();
  here.pbx.begin(3, START_MS - 600_000);
  here.pbx.badFromMs.set('1.1', START_MS);
  const first = await started(here, SENT);
  await run(here, first, 90);
  expect(here.disk.messages).toHaveLength(1);
  const again = await started(here, SENT);
  await run(here, again, 120);
  expect(here.disk.messages).toHaveLength(1);
  // It gets better while nobody watches.
  here.pbx.badToMs.set('1.1', here.nowMs);
  here.nowMs += 600_000;
  const third = await started(here, SENT);
  await run(here, third, 90);
  expect(here.disk.messages.map(({ subject }) => subject).slice(1)).toEqual(['pbx1: bad-live at PJSIP/phone1: over']);
  // Raised and not told yet: the next process tells it.
  const other = world();
  other.pbx.begin(1, START_MS - 600_000);
  other.pbx.badFromMs.set('0.1', START_MS);
  const killed = await started(other, SENT);
  while (other.disk.alerts.size === 0) await run(other, killed, 1);
  expect(other.disk.messages).toEqual([]);
  await run(other, await started(other, SENT), 60);
  expect(other.disk.messages).toHaveLength(1);
  expect(other.disk.alerts.size).toBe(1);
});

it('tells that Asterisk cannot be reached, and ends an alert whose rule is gone', async () => {
  const here = world();
  const rules = rulesOf('[alert:ami]\nsend = yes\n');
  const active = await started(here, rules);
  here.isThere = false;
  await run(here, active, 29);
  expect(here.disk.alerts.size).toBe(0);
  await run(here, active, 20);
  expect(here.disk.messages.map(({ subject }) => subject)).toEqual([
    expect.stringMatching(/^pbx1: ami: Asterisk has not been reachable \(AMI\) for 3\d(\.\d)? s$/),
  ]);
  const without = rules.filter(({ name }) => name !== 'ami');
  await run(here, await started(here, without), 60);
  expect([...here.disk.alerts.values()]).toMatchObject([{ rule: 'ami', clearedBecause: 'rule-gone' }]);
  expect(here.disk.messages.map(({ subject }) => subject).slice(1)).toEqual(['pbx1: ami: over']);
});

it('tells that a phone is gone whose calls are missing, by what the history says, until it has one again', async () => {
  const here = world();
  const MINUTE_MS = 60_000;
  // A call a minute at each of two phones, for three weeks until now.
  for (let atMs = START_MS - 21 * 86_400_000; atMs < START_MS; atMs += MINUTE_MS) {
    const stretch = Math.floor(atMs / QUARTER_MS);
    for (const endpoint of ['PJSIP/phone0', 'PJSIP/other'])
      here.disk.ends.push({ endpoint, site: null, stretch, legs: 1, alive: 1, lastAliveMs: atMs });
  }
  const rules = rulesOf('[alert:gone]\nsend = yes\nendpoint = PJSIP/phone*\n');
  const minutes = async (watch: ActiveAlerts, count: number): Promise<void> => {
    for (let minute = 0; minute < count; minute++) {
      const uniqueid = `other-${here.nowMs}`;
      const ended = { linkedid: uniqueid, endpoint: 'PJSIP/other', startedAtMs: here.nowMs, endedAtMs: here.nowMs };
      watch.channelEnded({ ...channelRecord(uniqueid), ...ended });
      await run(here, watch, 60);
    }
  };
  // What was read before the history failed does not count twice.
  here.disk.failsAt = 50;
  const watch = await started(here, rules);
  // Half of the usual channels come: what is missing counts half.
  await minutes(watch, 12);
  here.isThere = false;
  await run(here, watch, 25);
  here.isThere = true;
  await minutes(watch, 18);
  expect(here.disk.messages).toEqual([]);
  await minutes(watch, 6);
  expect(here.disk.messages.map(({ subject }) => subject)).toEqual([
    expect.stringMatching(
      /^pbx1: gone at PJSIP\/phone0: no call was made or answered, where 1\d are usual in that time$/,
    ),
  ]);
  expect(here.disk.messages[0]?.text).toContain(`Since ${new Date(START_MS - MINUTE_MS).toISOString().slice(0, 10)}`);
  // After a restart it is not told again, and is not over.
  const again = await started(here, rules);
  await minutes(again, 15);
  expect(here.disk.messages).toHaveLength(1);
  expect([...here.disk.alerts.values()]).toMatchObject([{ what: 'gone', clearedAtMs: null }]);
  here.pbx.begin(1, here.nowMs);
  await minutes(again, 2);
  expect(here.disk.messages.map(({ subject }) => subject).slice(1)).toEqual(['pbx1: gone at PJSIP/phone0: over']);
});
