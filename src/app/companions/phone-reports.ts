import { randomBytes } from 'node:crypto';
import { phoneReportRoutes } from '../../api/phone/reports.ts';
import type { Route } from '../../api/route.ts';
import { hostAndPortText } from '../../config/value-types.ts';
import type { ReportToKeep } from '../../history/features/phone-reports.ts';
import type { PbxEvent } from '../../model/event.ts';
import { listenProblem } from '../../model/errors/listen-problem.ts';
import type { JoinedPhoneReport, PhoneReport, ReceivedPhoneReport, SipLeg } from '../../model/phones/phone-report.ts';
import { PhoneReportCollector } from '../../phone-reports/collector.ts';
import type { Companion, CompanionContext } from './companion.ts';
import { callIdHider } from '../numbers/call-id-hider.ts';
import { textHider } from '../numbers/hidden-text.ts';
import { LateReports } from '../late-reports.ts';
import { LegQuestions } from '../asterisk/leg-questions.ts';
import { coded } from '../state/log.ts';
import { scoringRules } from '../settings/scoring-rules.ts';
import { errorText } from '../../units/error-text.ts';

/** Bound on reports that wait for the disk. */
const MOST_QUEUED = 10_000;
/** Bound on the reports of one transaction. */
const BATCH = 250;
/** A report is joined up to this long after it came, and after the end of its call. */
const JOINED_WITHIN_MS = 86_400_000;
const EXPIRE_EVERY_MS = 3_600_000;

/**
 * Phones' own reports (RFC 6035): received where `[phone_reports]` says, stored, joined to their channels, and shown over REST
 * also while it is off.
 */
export function phoneReports(context: CompanionContext): Companion {
  const { phoneReports: settings } = context.settings;
  return settings === null ? { routes: routesOf(context) } : new PhoneReports(context, settings);
}

function routesOf({ history, calls }: CompanionContext): readonly Route[] {
  return phoneReportRoutes({
    channel: async (uniqueid) => calls.channel(uniqueid),
    reports: async (uniqueid) => history.features.read('phoneReports', 'ofChannel', uniqueid),
  });
}

type Settings = NonNullable<CompanionContext['settings']['phoneReports']>;

class PhoneReports implements Companion {
  readonly routes;
  readonly #context: CompanionContext;
  readonly #settings: Settings;
  readonly #collector: PhoneReportCollector;
  readonly #legs: LegQuestions;
  readonly #late: LateReports;
  readonly #hide: (received: ReceivedPhoneReport) => ReceivedPhoneReport;
  readonly #queue: ReportToKeep[] = [];
  #storing: Promise<void> | undefined;
  #expiredAtMs = Number.NEGATIVE_INFINITY;
  readonly #counters = { joined: 0, unjoined: 0, repeated: 0, notKept: 0, notOfPhone: 0, expired: 0 };

  constructor(context: CompanionContext, settings: Settings) {
    this.#context = context;
    this.#settings = settings;
    const { history, calls, clock, actions } = context;
    const nowMs = (): number => clock.nowMs();
    this.routes = routesOf(context);
    this.#late = new LateReports({
      calls,
      rules: scoringRules(context.settings),
      amend: async (amendment) => history.features.write('phoneReports', 'amend', amendment),
      onError: (error) => this.#complain(error),
    });
    const hide = hider(context.settings.history);
    this.#hide = hide.received;
    this.#collector = new PhoneReportCollector({
      ...settings.bind,
      peers: settings.peers,
      nowMs,
      randomToken: () => randomBytes(8).toString('hex'),
      onReport: (received) => this.#take(received),
    });
    this.#legs = new LegQuestions({
      getVariable: async (uniqueid, name) => actions.getVariable(uniqueid, name),
      isConnected: () => actions.connected,
      onLeg: (leg, atMs) =>
        void this.#noteLeg({ ...leg, sipCallId: leg.sipCallId === null ? null : hide.callId(leg.sipCallId) }, atMs),
      nowMs,
    });
  }

  counters(): Readonly<Record<string, number>> {
    const { leftOut } = this.#late;
    const waiting = this.#queue.length;
    return { ...this.#collector.counters, ...this.#counters, ...this.#legs.counters, lateLeftOut: leftOut, waiting };
  }

  async start(): Promise<void> {
    const bind = hostAndPortText(this.#settings.bind);
    try {
      await this.#collector.listen();
    } catch (error) {
      throw new Error(
        `cannot take phones' reports on ${bind}: ${listenProblem(error)}; change bind in [phone_reports]`,
        { cause: error },
      );
    }
    this.#context.log.info(`phones' reports are taken on ${bind}, UDP and TCP`);
  }

  async stop(): Promise<void> {
    await this.#collector.close();
    await this.#storing;
    await this.#storeQueue();
    await this.#late.idle();
  }

  take(event: PbxEvent): void {
    this.#legs.take(event);
  }

  tick(nowMs: number): void {
    this.#legs.tick();
    if (this.#queue.length > 0) this.#storing ??= this.#storeQueue().finally(() => (this.#storing = undefined));
    if (nowMs - this.#expiredAtMs < EXPIRE_EVERY_MS) return;
    this.#expiredAtMs = nowMs;
    void this.#expire(nowMs);
  }

  #take(received: ReceivedPhoneReport): void {
    if (this.#queue.length >= MOST_QUEUED) this.#counters.notKept++;
    // With peers set, the collector has refused everybody else.
    else this.#queue.push({ ...this.#hide(received), isFromPeer: this.#settings.peers.length > 0 });
  }

  async #storeQueue(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, BATCH);
      try {
        const kept = await this.#context.history.features.write('phoneReports', 'keep', batch);
        this.#counters.repeated += kept.repeated;
        this.#counters.unjoined += kept.unjoined;
        this.#counters.notKept += kept.dropped;
        for (const joined of kept.joined) this.#hear(joined);
      } catch (error) {
        this.#counters.notKept += batch.length;
        this.#complain(error);
      }
    }
  }

  async #noteLeg(leg: SipLeg, atMs: number): Promise<void> {
    const { uniqueid, sipCallId } = leg;
    if (sipCallId !== null) this.#context.live.handle({ type: 'sip-call-id', atMs, uniqueid, sipCallId });
    try {
      const found = await this.#context.history.features.write('phoneReports', 'noteLeg', { leg, atMs });
      this.#counters.unjoined -= found.length;
      for (const joined of found) this.#hear(joined);
    } catch (error) {
      this.#complain(error);
    }
  }

  /** Adds a joined report to its channel. A report that may not be the phone's is only stored and shown. */
  #hear({ uniqueid, report, userAgent, isFromPhone }: JoinedPhoneReport): void {
    this.#counters.joined++;
    if (!isFromPhone) {
      this.#counters.notOfPhone++;
      return;
    }
    const { kind, localMetrics } = report;
    const heard = { report: { kind, localMetrics }, userAgent };
    if (this.#context.live.holds(uniqueid)) {
      this.#context.live.handle({ type: 'phone-heard', atMs: this.#context.clock.nowMs(), uniqueid, ...heard });
    } else {
      this.#late.add(uniqueid, heard);
    }
  }

  async #expire(nowMs: number): Promise<void> {
    const up = this.#context.live.liveUniqueids();
    try {
      const request = { up, beforeMs: nowMs - JOINED_WITHIN_MS - EXPIRE_EVERY_MS, nowMs };
      this.#counters.expired += await this.#context.history.features.write('phoneReports', 'expire', request);
    } catch (error) {
      this.#complain(error);
    }
  }

  #complain(error: unknown): void {
    const reason = errorText(error);
    this.#context.log.warn(coded('MES_ERR_PHONE_REPORTS'), `phones' reports could not be stored: ${reason}`);
  }
}

/** Hides numbers in phones' identities, names of themselves and Call-IDs, as the setting says. */
function hider(setting: CompanionContext['settings']['history']): {
  readonly callId: (callId: string) => string;
  readonly received: (received: ReceivedPhoneReport) => ReceivedPhoneReport;
} {
  if (setting.numbers === 'clear') return { callId: (callId) => callId, received: (received) => received };
  const { exten, program } = textHider(setting);
  const callId = callIdHider(setting);
  const identity = (text: string | null): string | null => (text === null ? null : hiddenIdentity(text, exten));
  const hideReport = (report: PhoneReport): PhoneReport => ({
    ...report,
    callId: report.callId === null ? null : callId(report.callId),
    localId: identity(report.localId),
    remoteId: identity(report.remoteId),
  });
  const received = ({ report, userAgent, ...more }: ReceivedPhoneReport): ReceivedPhoneReport => ({
    ...more,
    report: hideReport(report),
    userAgent: userAgent === null ? null : program(userAgent),
  });
  return { callId, received };
}

/**
 * `"Alice" <sip:214@pbx>` without the name and with the number hidden. A single word is hidden whole; null for anything else.
 */
function hiddenIdentity(text: string, hide: (user: string) => string): string | null {
  const [, scheme, user, host] = /(sips?|tel):([^@;>\s]{1,128})(@[^;>\s]{1,128})?/i.exec(text) ?? [];
  if (scheme !== undefined && user !== undefined) return `${scheme}:${hide(user)}${host ?? ''}`;
  return /^\S{1,128}$/.test(text) ? hide(text) : null;
}
