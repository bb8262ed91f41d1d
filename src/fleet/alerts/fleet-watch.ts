import { dueNews } from '../../alerting/messages/gather.ts';
import { alertMessage } from '../../alerting/messages/words.ts';
import { judge } from '../../alerting/rules/judge.ts';
import { Outbox, type Sender } from '../../alerts/outbox.ts';
import type { Alert, AlertDelivery, AlertWay, FleetAlertRule } from '../../model/alert.ts';
import { errorText } from '../../units/error-text.ts';
import type { FleetStore } from '../store.ts';
import { callsLink, withCalls } from './alert-calls.ts';
import { Lease } from './lease.ts';
import { fleetSights } from './sights.ts';
import { WatchTable } from './watch-table.ts';

const BEAT_EVERY_MS = 2000;
const JUDGE_EVERY_MS = 20_000;
const TICK_MS = 250;

export interface FleetWatchOptions {
  readonly store: Pick<FleetStore, 'ask' | 'askFirst' | 'insertFirst'>;
  readonly database: string;
  readonly rules: readonly FleetAlertRule[];
  readonly senders: Readonly<Partial<Record<AlertWay, Sender>>>;
  /** May change while the gateway runs. */
  readonly known: () => readonly { readonly name: string; readonly site: string }[];
  /** The address of the page, without a slash at its end. */
  readonly url: string;
  readonly host: string;
  readonly newId: () => string;
  readonly nowMs: () => number;
  readonly onProblem: (sentence: string) => void;
  /** For tests: other spans than the usual ones. */
  readonly beatEveryMs?: number;
  readonly judgeEveryMs?: number;
  readonly goneAfterMs?: number;
}

/**
 * Judges the rules of fleet.conf over all PBXs, and tells whom it concerns. Of several gateways one does so; what it knows lies
 * in the store, and another goes on from there. What the store does not take is not told: then it would be told twice.
 */
export class FleetWatch {
  readonly #options: FleetWatchOptions;
  readonly #lease: Lease;
  readonly #table: WatchTable;
  readonly #problemsSinceMs = new Map<string, number>();
  /** Alerts that go on, or whose end was not sent yet; null: this gateway does not lead, or has not read them. */
  #alerts: Map<string, Alert> | null = null;
  #outbox: Outbox | null = null;
  #last: { readonly atMs: number; readonly alerts: number } | null = null;
  #wholeSinceMs = 0;
  #nextJudgingMs = 0;
  /** When a message that waits was made, by its id. */
  readonly #madeAtMs = new Map<string, number>();
  #timers: readonly NodeJS.Timeout[] = [];
  #beating: Promise<void> | null = null;
  #working: Promise<void> | null = null;
  #lastProblem = '';
  readonly #counters = { alerts_raised: 0, alerts_over: 0, alert_messages: 0 };

  constructor(options: FleetWatchOptions) {
    this.#options = options;
    this.#table = new WatchTable(options.store, options.database);
    this.#lease = new Lease({ store: this.#table, nowMs: options.nowMs, goneAfterMs: options.goneAfterMs });
  }

  get counters(): Readonly<Record<string, number>> {
    return { ...this.#counters, alerts_leader: Number(this.#lease.isHeld), alerts_open: this.#alerts?.size ?? 0 };
  }

  start(): void {
    const { beatEveryMs = BEAT_EVERY_MS } = this.#options;
    // By itself: a question that takes long must not cost the lead.
    const beat = (): unknown => (this.#beating ??= this.#beat().finally(() => (this.#beating = null)));
    const work = (): unknown => (this.#working ??= this.#work().finally(() => (this.#working = null)));
    this.#timers = [setInterval(beat, beatEveryMs), setInterval(work, Math.min(TICK_MS, beatEveryMs))];
  }

  /** True: another gateway goes on at once. False, for tests: nothing is said, as by a process that is killed. */
  async stop(isInOrder = true): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all([this.#beating, this.#working]);
    if (isInOrder) await this.#lease.leave().catch(() => {});
  }

  /** Never rejects. */
  async #beat(): Promise<void> {
    try {
      const { shardsAnswered, shards } = await this.#options.store.ask('SELECT 1');
      this.#wholeSinceMs = await this.#lease.beat(shardsAnswered === shards);
    } catch (error) {
      this.#hasFailed(error);
    }
  }

  /** Never rejects. */
  async #work(): Promise<void> {
    const { judgeEveryMs = JUDGE_EVERY_MS, rules, nowMs } = this.#options;
    if (!this.#lease.isHeld) return this.#forget();
    try {
      this.#alerts ??= await this.#restore();
      const timeMs = performance.now();
      if (timeMs >= this.#nextJudgingMs) {
        this.#nextJudgingMs = timeMs + judgeEveryMs;
        for (const rule of rules) await this.#judge(rule, this.#alerts);
      }
      await this.#tell(this.#alerts);
      this.#outbox?.tick(nowMs());
      this.#lastProblem = '';
    } catch (error) {
      // Whether it was stored is not known: what is in the store counts.
      this.#forget();
      this.#hasFailed(error);
    }
  }

  #hasFailed(error: unknown): void {
    const problem = errorText(error);
    if (problem !== this.#lastProblem) this.#options.onProblem(`alerts wait (${problem})`);
    this.#lastProblem = problem;
  }

  #forget(): void {
    this.#alerts = null;
    this.#outbox = null;
    this.#madeAtMs.clear();
  }

  /** What the gateway that led before knew. */
  async #restore(): Promise<Map<string, Alert>> {
    const { rules, nowMs, senders, onProblem } = this.#options;
    const now = nowMs();
    const [unfinished, last, undelivered] = await Promise.all([
      this.#table.unfinished(now),
      this.#table.lastMessage(now),
      this.#table.undelivered(now),
    ]);
    const madeAtMs = ({ messageId }: AlertDelivery): number => this.#madeAtMs.get(messageId) ?? nowMs();
    const outbox = new Outbox({
      senders: Object.fromEntries(Object.entries(senders).map(([way, send]) => [way, this.#whileLeading(send)])),
      onDelivered: (delivery) => this.#table.delivered(delivery, madeAtMs(delivery), nowMs()),
      onTryAgain: (delivery) => this.#table.tryAgain(delivery, madeAtMs(delivery), nowMs()),
      onProblem,
    });
    for (const { message, delivery } of undelivered) {
      this.#madeAtMs.set(message.id, message.atMs);
      outbox.add(message, delivery);
    }
    this.#outbox = outbox;
    this.#last = last;
    const names = new Set(rules.map(({ name }) => name));
    const ended = unfinished
      .filter(({ rule, clearedAtMs }) => clearedAtMs === null && !names.has(rule))
      .map((alert): Alert => ({ ...alert, clearedAtMs: now, clearedBecause: 'rule-gone' }));
    const alerts = new Map([...unfinished, ...ended].map((alert) => [alert.id, alert]));
    if (ended.length > 0) await this.#save(ended, null);
    return alerts;
  }

  #whileLeading(send: Sender): Sender {
    return async (message) => {
      if (!this.#lease.isHeld) throw new Error('another gateway sends by now');
      await send(message);
    };
  }

  async #judge(rule: FleetAlertRule, alerts: Map<string, Alert>): Promise<void> {
    const { store, database, known, newId } = this.#options;
    const nowMs = this.#options.nowMs();
    const [wholeSinceMs, problemsSinceMs] = [this.#wholeSinceMs, this.#problemsSinceMs];
    const view = { store, database, known: known(), nowMs, wholeSinceMs, problemsSinceMs };
    const seen = await fleetSights(rule, view).catch((error: unknown) => {
      this.#hasFailed(error);
      return null;
    });
    // One rule that asks for too much holds up no other.
    if (seen === null) return;
    const open = [...alerts.values()].filter((alert) => alert.rule === rule.name && alert.clearedAtMs === null);
    const before = new Map(open.map((alert) => [alert.id, alert]));
    const changed: Alert[] = [];
    for (const alert of judge(rule, open, seen, nowMs, newId)) {
      const isNew = !before.has(alert.id);
      changed.push(isNew ? await withCalls(alert, rule, { store, database, nowMs }) : alert);
      this.#counters.alerts_raised += Number(isNew);
      this.#counters.alerts_over += Number(alert.clearedAtMs !== null);
    }
    // A new value alone is no news.
    const news = changed.filter((alert) => {
      const old = before.get(alert.id);
      return old === undefined || alert.clearedAtMs !== null || alert.worst > 2 * old.worst;
    });
    await this.#save(news, null);
    for (const alert of changed) alerts.set(alert.id, alert);
  }

  async #tell(alerts: Map<string, Alert>): Promise<void> {
    const { rules, newId, host, nowMs, senders, url } = this.#options;
    const atMs = nowMs();
    const local = new Date(atMs);
    const minuteOfDay = local.getHours() * 60 + local.getMinutes();
    const told = dueNews({ alerts: [...alerts.values()], rules, nowMs: atMs, minuteOfDay, last: this.#last });
    if (told.length > 0) {
      const linkOf = (alert: Alert): string => callsLink(url, alert);
      const message = alertMessage(told, { id: newId(), atMs, host, rules, linkOf });
      const ways = Object.keys(senders) as AlertWay[];
      await this.#save(told, message, ways);
      this.#madeAtMs.set(message.id, atMs);
      this.#last = { atMs, alerts: told.length };
      this.#counters.alert_messages++;
      for (const alert of told) alerts.set(alert.id, alert);
      for (const way of ways)
        this.#outbox?.add(message, { messageId: message.id, way, attempts: 0, nextAtMs: message.atMs });
    }
    for (const alert of alerts.values()) if (this.#isFinished(alert)) alerts.delete(alert.id);
  }

  /** Over, and nobody has to be told of it any more. */
  #isFinished({ clearedAtMs, endToldAtMs, toldAtMs, rule }: Alert): boolean {
    const isToBeTold = toldAtMs !== null || this.#options.rules.some(({ name, send }) => send && name === rule);
    return clearedAtMs !== null && (endToldAtMs !== null || !isToBeTold);
  }

  async #save(
    alerts: readonly Alert[],
    message: Parameters<WatchTable['save']>[1],
    ways: readonly AlertWay[] = [],
  ): Promise<void> {
    if (!this.#lease.isHeld) throw new Error('this gateway does not lead any more');
    await this.#table.save(alerts, message, ways, (alert) => this.#isFinished(alert), this.#options.nowMs());
  }
}
