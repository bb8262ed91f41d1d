import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { alertJson, alertMessage } from '../../../alerting/messages/words.ts';
import { Outbox } from '../../../alerts/outbox.ts';
import { alertRoutes, type AlertService } from '../../../api/alerts/alerts.ts';
import { evidenceRoutes } from '../../../api/alerts/evidence.ts';
import { shareRoutes } from '../../../api/alerts/shares.ts';
import type { Settings } from '../../../config/settings.ts';
import { hostAndPortText } from '../../../config/value-types.ts';
import type { Alert, AlertMessage, AlertWay } from '../../../model/alert.ts';
import type { Companion, CompanionContext } from '../companion.ts';
import { coded } from '../../state/log.ts';
import { scoringRules } from '../../settings/scoring-rules.ts';
import { alertSenders } from './alert-senders.ts';
import { ActiveAlerts } from './active-alerts.ts';
import { Digest } from './digest.ts';
import { evidenceHere } from './evidence-maker.ts';
import { KeptReach } from './kept-reach.ts';
import { SharedLinks } from './shared-links.ts';
import { errorText } from '../../../units/error-text.ts';

/** The key under which usual endpoints are stored. */
const USUAL_REACH = 'usual_reach';
const MOST_UNDELIVERED = 1000;
/** Pause before the history is asked again, if it does not answer at the start. */
const RESTORE_AGAIN_MS = 10_000;
/** A mail server that is away for a night is logged some times, not thousands of times. */
const TELL_PROBLEM_EVERY_MS = 600_000;

/** The address under which people reach REST. */
export function publicUrl({ alerts, http }: Settings): string {
  if (alerts.url !== null) return alerts.url;
  const isAnywhere = http.bind.host === '0.0.0.0' || http.bind.host === '::';
  return `http://${hostAndPortText(isAnywhere ? { ...http.bind, host: hostname() } : http.bind)}`;
}

/** Watches calls by the rules of `[alert:NAME]`, and tells whom `[alerts]` names. */
export function alertsCompanion(context: CompanionContext): Companion {
  const { settings, clock, history, calls, live, actions, log } = context;
  const { features } = history;
  const { rules } = settings.alerts;
  const url = publicUrl(settings);
  const toldOfAtMs = new Map<string, number>();

  const senders = alertSenders({
    settings: settings.alerts,
    actions,
    clock,
    onDenied: (sentence) => warn(sentence),
  });
  const warn = (sentence: string): void => {
    const nowMs = clock.nowMs();
    if (nowMs - (toldOfAtMs.get(sentence) ?? 0) < TELL_PROBLEM_EVERY_MS) return;
    if (toldOfAtMs.size > 100) toldOfAtMs.clear();
    toldOfAtMs.set(sentence, nowMs);
    log.warn(coded('MES_ERR_ALERT'), `alerts: ${sentence}`);
  };
  const outbox = new Outbox({
    senders,
    onDelivered: (delivery) => features.write('alerts', 'delivered', delivery),
    onTryAgain: (delivery) => features.write('alerts', 'tryAgain', delivery),
    onProblem: warn,
  });

  const findAlert = async (id: string): Promise<Alert | null> =>
    active.alerts.find((alert) => alert.id === id) ?? (await features.read('alerts', 'one', id));
  const evidence = evidenceHere(context);
  const links = new SharedLinks(context, { url, findAlert, evidence });
  const linkOf = ({ id }: Alert): string => links.ofAlert(id);

  /** An alert that cannot be stored is sent all the same: a full disk is no reason to keep silent. */
  const save = async (
    alerts: readonly Alert[],
    message: AlertMessage | null,
    ways = Object.keys(senders) as AlertWay[],
  ): Promise<void> => {
    try {
      await features.write('alerts', 'save', { alerts, message, ways });
    } finally {
      if (message !== null) {
        for (const way of ways)
          outbox.add(message, { messageId: message.id, way, attempts: 0, nextAtMs: message.atMs });
      }
    }
  };

  const kept = new KeptReach({
    stored: () => features.read('alerts', 'setting', USUAL_REACH),
    store: (value) => features.write('alerts', 'replaceSetting', { name: USUAL_REACH, value }),
    nowMs: () => clock.nowMs(),
    onProblem: warn,
  });
  const active = new ActiveAlerts({
    rules,
    reach: kept.reach,
    recent: scoringRules(settings),
    live,
    calls,
    store: {
      unfinished: () => features.read('alerts', 'unfinished', null),
      lastMessage: () => features.read('alerts', 'lastMessage', null),
      legs: (query) => features.read('alerts', 'legs', query),
      ends: (query) => features.read('alerts', 'ends', query),
      save: (alerts, message) => save(alerts, message),
    },
    isAsteriskThere: () => actions.connected,
    makeMessage: (alerts, atMs) => alertMessage(alerts, { id: randomUUID(), atMs, host: hostname(), rules, linkOf }),
    newId: randomUUID,
    nowMs: () => clock.nowMs(),
    onProblem: warn,
  });

  const service: AlertService = {
    rules: rules.map(({ name, what, overMs, endpoints, by, calls: fewest, raise, clear, send }) => ({
      name,
      what,
      over_s: overMs / 1000,
      endpoints: [...endpoints],
      by,
      calls: fewest,
      raise,
      clear,
      send,
    })),
    async list(sinceMs, limit) {
      const now = new Map(active.alerts.map((alert) => [alert.id, alert]));
      const stored = await features.read('alerts', 'list', { sinceMs, limit });
      for (const alert of stored) if (!now.has(alert.id)) now.set(alert.id, alert);
      const all = [...now.values()].toSorted(
        (one, other) =>
          Number(one.clearedAtMs !== null) - Number(other.clearedAtMs !== null) || other.raisedAtMs - one.raisedAtMs,
      );
      return all.slice(0, limit).map((alert) => alertJson(alert));
    },
    async one(id) {
      const alert = await findAlert(id);
      return alert === null ? null : alertJson(alert);
    },
  };

  const restore = async (): Promise<void> => {
    await links.restore();
    for (const { message, delivery } of await features.read('alerts', 'undelivered', MOST_UNDELIVERED)) {
      outbox.add(message, delivery);
    }
    await kept.restore();
    await active.restore();
  };

  const digest = new Digest({
    period: settings.alerts.digest,
    calls,
    url,
    groups: (query) => features.read('alerts', 'groups', query),
    isSent: (id) => features.read('alerts', 'hasMessage', id),
    alertsSince: (sinceMs) => features.read('alerts', 'list', { sinceMs, limit: 1000 }),
    send: (message) => save([], message, ['mail']),
    onProblem: warn,
  });

  let restoreAtMs = 0;
  const restoreSoon = (nowMs: number): void => {
    if (nowMs < restoreAtMs) return;
    restoreAtMs = Number.POSITIVE_INFINITY;
    restore().catch((error: unknown) => {
      restoreAtMs = clock.nowMs() + RESTORE_AGAIN_MS;
      warn(errorText(error));
    });
  };

  return {
    routes: [...alertRoutes(service, clock), ...evidenceRoutes(evidence, clock), ...shareRoutes(links, clock)],
    counters: () => ({ ...active.counters, ...outbox.counters }),
    take: (event) => kept.take(event),
    stop: () => kept.store(),
    channelEnded: (channel) => active.channelEnded(channel),
    tick(nowMs) {
      // A long history takes seconds to look through; scoring does not wait for that.
      restoreSoon(nowMs);
      active.tick(nowMs);
      kept.tick(nowMs);
      digest.tick(nowMs);
      outbox.tick(nowMs);
    },
  };
}
