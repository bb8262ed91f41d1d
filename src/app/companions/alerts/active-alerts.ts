import { CallHabit, HABIT_MS, QUARTER_MS } from '../../../alerting/rules/call-habit.ts';
import { dueNews } from '../../../alerting/messages/gather.ts';
import { judge } from '../../../alerting/rules/judge.ts';
import { endedSample, RecentLooks, type RecentRules } from '../../../alerting/rules/recent-media.ts';
import type { Reachability } from '../../../alerting/rules/reachability.ts';
import { ReportingHabit } from '../../../alerting/rules/reporting-habit.ts';
import type { RuleSight } from '../../../alerting/rules/rule-sight.ts';
import type { Surroundings } from '../../../alerting/rules/surroundings.ts';
import type { Alert, AlertMessage, AlertRule, EndedLegs, LegSample } from '../../../model/alert.ts';
import type { HistoryReader, LiveView } from '../../../model/ports.ts';
import type { ChannelRecord } from '../../../model/record.ts';
import type { FaultPlace } from '../../../model/fault.ts';
import { RuleRounds } from './rule-rounds.ts';
import { errorText } from '../../../units/error-text.ts';

/** What alerts need of the history. */
export interface AlertStore {
  readonly unfinished: () => Promise<Alert[]>;
  readonly lastMessage: () => Promise<{ readonly atMs: number; readonly alerts: number } | null>;
  readonly legs: (query: { fromMs: number; toMs: number; limit: number }) => Promise<LegSample[]>;
  readonly ends: (query: {
    fromMs: number;
    toMs: number;
    endedBeforeMs: number;
    stretchMs: number;
  }) => Promise<readonly EndedLegs[]>;
  /** Stores alerts together with their message, which the outbox then sends. */
  readonly save: (alerts: readonly Alert[], message: AlertMessage | null) => Promise<void>;
}

export interface ActiveAlertsOptions {
  readonly rules: readonly AlertRule[];
  readonly recent: RecentRules;
  readonly live: Pick<LiveView, 'liveUniqueids' | 'liveMedia'>;
  readonly calls: Pick<HistoryReader, 'call'>;
  readonly store: AlertStore;
  readonly reach: Reachability;
  readonly isAsteriskThere: () => boolean;
  readonly makeMessage: (alerts: readonly Alert[], atMs: number) => AlertMessage;
  readonly newId: () => string;
  readonly nowMs: () => number;
  readonly onProblem: (sentence: string) => void;
}

/** Every live channel is sampled once in this time, a share of them in each tick. */
const LOOK_EVERY_MS = 5000;
const TICKS_PER_ROUND = 40;
/** A call that is bad now must be reported within a minute; shares of an hour change slowly. */
const JUDGE_NOW_EVERY_MS = 2500;
const JUDGE_CALLS_EVERY_MS = 30_000;
const JUDGE_SILENCE_EVERY_MS = 30_000;
const TELL_EVERY_MS = 1000;
/** Bound on the ended channels that rules over a span of time count. */
const MOST_LEGS = 20_000;
const HABIT_DAYS = 7;
const DAY_MS = 86_400_000;
/** The stretch of the past that is read at once, so that other questions get their turn. */
const READ_MS = 6 * 3_600_000;
/** So many calls of a new alert are looked up to find where their fault lies. */
const ASKED_CALLS = 5;

/** Evaluates the alert rules over live and ended channels: raises alerts, clears them, and sends messages about both. */
export class ActiveAlerts {
  readonly #options: ActiveAlertsOptions;
  readonly #looks = new RecentLooks();
  readonly #up = new Map<string, LegSample>();
  readonly #ended = new Map<string, LegSample>();
  readonly #habit = new ReportingHabit();
  readonly #calls = new CallHabit();
  /** The part of the past that was not read yet; null: nothing has been read. */
  #unread: { fromMs: number; readonly toMs: number } | null = null;
  /** Whether the past was read whole. */
  #knowsCalls = false;
  readonly #longestMs: number;
  /** Alerts that go on, or whose end was not sent yet; by id. */
  readonly #alerts = new Map<string, Alert>();
  #last: { readonly atMs: number; readonly alerts: number } | null = null;
  #isReady = false;
  /** Every live channel was sampled once. Before that no alert may be cleared. */
  #hasLooked = false;
  #toLookAt: string[] = [];
  #nextRoundMs = 0;
  #perTick = 1;
  readonly #rounds: readonly RuleRounds[];
  #nextTellingMs = 0;
  #downSinceMs: number | null = null;
  #watchedSinceMs = Number.POSITIVE_INFINITY;
  #counters = { raised: 0, over: 0, messages: 0, legs_dropped: 0 };

  constructor(options: ActiveAlertsOptions) {
    this.#options = options;
    this.#longestMs = Math.max(0, ...options.rules.map(({ overMs }) => overMs));
    const isNow = ({ what }: AlertRule): boolean => what === 'bad-live' || what === 'ami';
    const isSilence = ({ what }: AlertRule): boolean => what === 'gone';
    const common = {
      around: (rule: AlertRule, nowMs: number): Surroundings => ({
        nowMs,
        amiDownSinceMs: this.#downSinceMs,
        watchedSinceMs: this.#watchedSinceMs,
        usedToReport: (endpoint) => this.#habit.usedToReport(endpoint, nowMs - rule.overMs),
        calls: this.#knowsCalls ? this.#calls : null,
        reach: options.reach,
      }),
      onSeen: (rule: AlertRule, seen: readonly RuleSight[], nowMs: number) => this.#judge(rule, seen, nowMs),
    };
    this.#rounds = [
      new RuleRounds({
        ...common,
        rules: options.rules.filter(isNow),
        everyMs: JUDGE_NOW_EVERY_MS,
        legs: () => this.#up.values(),
      }),
      new RuleRounds({
        ...common,
        rules: options.rules.filter((rule) => !isNow(rule) && !isSilence(rule)),
        everyMs: JUDGE_CALLS_EVERY_MS,
        legs: () => this.#legs(),
      }),
      new RuleRounds({
        ...common,
        rules: options.rules.filter(isSilence),
        everyMs: JUDGE_SILENCE_EVERY_MS,
        legs: () => [],
      }),
    ];
  }

  get counters(): Readonly<Record<string, number>> {
    const active = [...this.#alerts.values()].filter(({ clearedAtMs }) => clearedAtMs === null).length;
    return { ...this.#counters, legs_dropped: this.#counters.legs_dropped + this.#calls.leftOut, active };
  }

  /** Reads open alerts and the legs of the last days from the history. No rule is judged before it is done. */
  async restore(): Promise<void> {
    const { store, nowMs, rules } = this.#options;
    const names = new Set(rules.map(({ name }) => name));
    const gone: Alert[] = [];
    for (const alert of await store.unfinished()) {
      const isGone = alert.clearedAtMs === null && !names.has(alert.rule);
      const next: Alert = isGone ? { ...alert, clearedAtMs: nowMs(), clearedBecause: 'rule-gone' } : alert;
      if (isGone) gone.push(next);
      this.#alerts.set(alert.id, next);
      if (alert.what === 'bad-live' && alert.clearedAtMs === null) {
        for (const linkedid of alert.linkedids) this.#looks.wasBad(linkedid, alert.subject, alert.sinceMs);
      }
    }
    if (gone.length > 0) await store.save(gone, null);
    this.#last = await store.lastMessage();
    const toMs = nowMs();
    for (let day = HABIT_DAYS; day > 0; day--) {
      const legs = await store.legs({ fromMs: toMs - day * DAY_MS, toMs: toMs - (day - 1) * DAY_MS, limit: MOST_LEGS });
      for (const leg of legs) {
        this.#habit.take(leg);
        if ((leg.endedAtMs ?? 0) > toMs - this.#longestMs && !this.#ended.has(leg.uniqueid)) {
          this.#ended.set(leg.uniqueid, leg);
        }
      }
    }
    this.#isReady = true;
    await this.#restoreCalls(toMs);
  }

  /** Reads when endpoints had calls before, the oldest first. Calls that end meanwhile are taken as they come. */
  async #restoreCalls(toMs: number): Promise<void> {
    // After a failed question it goes on where it was, so that nothing counts twice.
    const past = (this.#unread ??= { fromMs: toMs - HABIT_MS, toMs });
    while (past.fromMs < past.toMs) {
      const { fromMs, toMs: endedBeforeMs } = past;
      const nextMs = Math.min(endedBeforeMs, fromMs + READ_MS);
      const query = { fromMs, toMs: nextMs, endedBeforeMs, stretchMs: QUARTER_MS };
      for (const ended of await this.#options.store.ends(query)) this.#calls.add(ended);
      past.fromMs = nextMs;
    }
    this.#knowsCalls = true;
  }

  channelEnded(channel: ChannelRecord): void {
    this.#looks.forget(channel.uniqueid);
    this.#up.delete(channel.uniqueid);
    const sample = endedSample(channel);
    if (!this.#ended.has(channel.uniqueid)) {
      this.#habit.take(sample);
      this.#calls.take(sample);
    }
    this.#ended.set(channel.uniqueid, sample);
    if (this.#ended.size <= MOST_LEGS) return;
    const [oldest] = this.#ended.keys();
    if (oldest !== undefined) this.#ended.delete(oldest);
    this.#counters.legs_dropped++;
  }

  tick(nowMs: number): void {
    const isThere = this.#options.isAsteriskThere();
    if (isThere && (this.#downSinceMs !== null || this.#watchedSinceMs > nowMs)) this.#watchedSinceMs = nowMs;
    this.#downSinceMs = isThere ? null : (this.#downSinceMs ?? nowMs);
    this.#look(nowMs);
    if (!this.#isReady || !this.#hasLooked) return;
    for (const rounds of this.#rounds) rounds.tick(nowMs);
    if (nowMs < this.#nextTellingMs && nowMs > this.#nextTellingMs - TELL_EVERY_MS) return;
    this.#nextTellingMs = nowMs + TELL_EVERY_MS;
    this.#tell(nowMs);
  }

  #look(nowMs: number): void {
    const { live, recent } = this.#options;
    if (this.#toLookAt.length === 0) {
      // A clock that was set back must not stop it.
      if (nowMs < this.#nextRoundMs && nowMs > this.#nextRoundMs - LOOK_EVERY_MS) return;
      this.#nextRoundMs = nowMs + LOOK_EVERY_MS;
      this.#toLookAt = live.liveUniqueids();
      this.#perTick = Math.max(1, Math.ceil(this.#toLookAt.length / TICKS_PER_ROUND));
      const there = new Set(this.#toLookAt);
      this.#looks.keepOnly(there);
      for (const uniqueid of this.#up.keys()) if (!there.has(uniqueid)) this.#up.delete(uniqueid);
      this.#forgetOld(nowMs);
    }
    for (const uniqueid of this.#toLookAt.splice(0, this.#perTick)) {
      const channel = live.liveMedia(uniqueid);
      if (channel !== null && channel.endedAtMs === null) {
        const sample = this.#looks.look(channel, nowMs, recent);
        this.#up.set(uniqueid, sample);
        this.#calls.isUp(sample, nowMs);
      }
    }
    this.#hasLooked ||= this.#isReady && this.#toLookAt.length === 0;
  }

  #forgetOld(nowMs: number): void {
    for (const [uniqueid, { endedAtMs }] of this.#ended) {
      if ((endedAtMs ?? 0) <= nowMs - this.#longestMs) this.#ended.delete(uniqueid);
    }
  }

  #judge(rule: AlertRule, seen: readonly RuleSight[], nowMs: number): void {
    const { newId } = this.#options;
    const open = [...this.#alerts.values()].filter(
      ({ rule: name, clearedAtMs }) => name === rule.name && clearedAtMs === null,
    );
    const changed = judge(rule, open, seen, nowMs, newId);
    if (changed.length === 0) return;
    for (const alert of changed) this.#note(alert);
    this.#save(
      changed.filter((alert) => isNews(alert, open)),
      null,
    );
  }

  *#legs(): Generator<LegSample> {
    yield* this.#ended.values();
    yield* this.#up.values();
  }

  #note(alert: Alert): void {
    const isNew = !this.#alerts.has(alert.id);
    this.#alerts.set(alert.id, alert);
    if (alert.clearedAtMs !== null) this.#counters.over++;
    if (!isNew) return;
    this.#counters.raised++;
    void this.#findPlace(alert);
  }

  /** Only whole calls have a fault place; samples of live channels do not. */
  async #findPlace({ id, linkedids, place }: Alert): Promise<void> {
    if (place !== null) return;
    const asked = linkedids
      .slice(0, ASKED_CALLS)
      .map((linkedid) => this.#options.calls.call(linkedid).catch(() => null));
    const places = (await Promise.all(asked)).map((call) => call?.faultPlace ?? null);
    const found: FaultPlace | undefined = places.find((one) => one !== null && one !== 'none') ?? undefined;
    const now = this.#alerts.get(id);
    if (found === undefined || now === undefined) return;
    this.#alerts.set(id, { ...now, place: found });
    this.#save([{ ...now, place: found }], null);
  }

  #tell(nowMs: number): void {
    const { rules, makeMessage } = this.#options;
    const local = new Date(nowMs);
    const minuteOfDay = local.getHours() * 60 + local.getMinutes();
    const alerts = [...this.#alerts.values()];
    const told = dueNews({ alerts, rules, nowMs, minuteOfDay, last: this.#last });
    const names = new Set(rules.filter(({ send }) => send).map(({ name }) => name));
    if (told.length > 0) {
      this.#last = { atMs: nowMs, alerts: told.length };
      this.#counters.messages++;
      for (const alert of told) this.#alerts.set(alert.id, alert);
      this.#save(told, makeMessage(told, nowMs));
    }
    for (const alert of this.#alerts.values()) {
      const isToBeTold = alert.toldAtMs !== null || names.has(alert.rule);
      if (alert.clearedAtMs !== null && (alert.endToldAtMs !== null || !isToBeTold)) this.#alerts.delete(alert.id);
    }
  }

  #save(alerts: readonly Alert[], message: AlertMessage | null): void {
    if (alerts.length === 0 && message === null) return;
    this.#options.store.save(alerts, message).catch((error: unknown) => {
      this.#options.onProblem(`alerts cannot be stored: ${errorText(error)}`);
    });
  }

  /** Open alerts, and cleared ones whose end was not sent yet. */
  get alerts(): readonly Alert[] {
    return [...this.#alerts.values()];
  }
}

/** Whether a change is worth a write. A new value alone is not. */
function isNews(alert: Alert, before: readonly Alert[]): boolean {
  const old = before.find(({ id }) => id === alert.id);
  return (
    old === undefined ||
    alert.clearedAtMs !== null ||
    alert.calls !== old.calls ||
    alert.worst !== old.worst ||
    alert.place !== old.place ||
    alert.isReachable !== old.isReachable
  );
}
