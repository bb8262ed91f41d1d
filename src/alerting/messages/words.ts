import type { Alert, AlertMessage, AlertRule, AlertSubject } from '../../model/alert.ts';
import type { FaultPlace } from '../../model/fault.ts';
import { STORM } from './gather.ts';
import { TOGETHER } from '../rules/rule-value.ts';

/** Alerts that a message writes out; of more it tells how many. */
export const MOST_WRITTEN = 20;

/** What a message needs beside the alerts. */
export interface MessageFrame {
  readonly id: string;
  readonly atMs: number;
  /** Which Asterisk it is. */
  readonly host: string;
  readonly rules: readonly AlertRule[];
  /** The page with the calls of an alert. */
  readonly linkOf: (alert: Alert) => string;
}

const PLACES: Readonly<Record<Exclude<FaultPlace, 'none'>, string>> = {
  'caller-network': "the network on the caller's side",
  'callee-network': "the network on the callee's side",
  'both-networks': 'the networks on both sides',
  'this-server': 'this server',
  'caller-phone': "the caller's phone",
  'callee-phone': "the callee's phone",
};

/** `2026-11-20 10:00:00 UTC` */
export function utc(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

const SENTENCES: Readonly<Record<AlertSubject, (number: string) => string>> = {
  'bad-live': (number) => (number === '1' ? '1 call that is up is bad now' : `${number} calls that are up are bad now`),
  'bad-calls': (number) => `${number} % of the calls are bad`,
  p5: (number) => `the 5th percentile of the scores is ${number}`,
  'one-way': (number) => `${number} % of the calls have audio in one direction only, or none`,
  loss: (number) => `calls lose ${number} % of their packets`,
  jitter: (number) => `the jitter is ${number} ms`,
  rtt: (number) => `the round trip takes ${number} ms`,
  'no-reports': (number) => `${number} % of the calls have no RTCP report from the far end, which used to send them`,
  gone: (number) => `no call was made or answered, where ${number} are usual in that time`,
  unreachable: (number) =>
    number === '1' ? 'Asterisk cannot reach 1 endpoint' : `Asterisk cannot reach ${number} endpoints`,
  ami: (number) => `Asterisk has not been reachable (AMI) for ${number} s`,
  silent: (number) => `nothing has been heard of it for ${number} s`,
  problem: (number) => `it has not been able to score calls for ${number} s`,
};

const UNITS: Readonly<Record<AlertSubject, string>> = {
  'bad-live': ' calls',
  'bad-calls': ' %',
  p5: '',
  'one-way': ' %',
  loss: ' %',
  jitter: ' ms',
  rtt: ' ms',
  'no-reports': ' %',
  gone: ' calls',
  unreachable: ' endpoints',
  ami: ' s',
  silent: ' s',
  problem: ' s',
};

/** A value of a rule with its unit: `20 %`, `40 ms`, `3.1`. */
export function amountText(what: AlertSubject, value: number): string {
  const number = String(Number(value.toFixed(2)));
  return `${number}${number === '1' ? UNITS[what].replace(/(call|endpoint)s$/, '$1') : UNITS[what]}`;
}

/** What a value of a rule says, such as `12 % of the calls are bad`. */
export function valueText(what: AlertSubject, value: number): string {
  return SENTENCES[what](String(Number(value.toFixed(what === 'p5' ? 2 : 1))));
}

const UNREACHABLE = 'Asterisk cannot reach it: it is not registered, or does not answer';

/** What an alert says now, or said at its worst when it is over. A silent endpoint that Asterisk cannot reach is another finding than one that it can. */
export function sentenceOf({ what, value, worst, by, subject, clearedAtMs, isReachable = null }: Alert): string {
  const isOne = by === 'endpoint' && subject !== TOGETHER;
  if (what === 'unreachable' && isOne) return UNREACHABLE;
  const sentence = valueText(what, clearedAtMs === null ? (value ?? worst) : worst);
  if ((what !== 'gone' && what !== 'no-reports') || isReachable === null) return sentence;
  return `${sentence}. ${isReachable ? 'Asterisk can reach it' : UNREACHABLE}`;
}

/** One line: which rule, where, and what. */
export function alertLine(alert: Alert): string {
  const where = alert.subject === TOGETHER ? '' : ` at ${alert.subject}`;
  if (alert.clearedAtMs === null) return `${alert.rule}${where}: ${sentenceOf(alert)}`;
  return `${alert.rule}${where}: over`;
}

function details(alert: Alert, linkOf: MessageFrame['linkOf']): string[] {
  const lines = [`  Since ${utc(alert.sinceMs)}.`];
  if (alert.clearedAtMs !== null) {
    lines.push(`  Over at ${utc(alert.clearedAtMs)}${because(alert)}. At its worst: ${sentenceOf(alert)}.`);
  }
  if (alert.place !== null && alert.place !== 'none')
    lines.push(`  The fault probably lies in ${PLACES[alert.place]}.`);
  if (alert.calls > 0) lines.push(`  ${alert.calls === 1 ? '1 call' : `${alert.calls} calls`}: ${linkOf(alert)}`);
  return lines;
}

function because({ what, clearedBecause }: Alert): string {
  if (clearedBecause === 'no-calls' && what === 'gone')
    return ', since nobody expects its calls after two weeks without any';
  if (clearedBecause === 'no-calls' && what === 'unreachable') return ', since nobody expects it back after two weeks';
  if (clearedBecause === 'no-calls') return ', since there have been no calls for a day';
  return clearedBecause === 'rule-gone' ? ', since its rule was taken away' : '';
}

/** One message about alerts that began, go on or are over. */
export function alertMessage(alerts: readonly Alert[], frame: MessageFrame): AlertMessage {
  const { id, atMs, host, linkOf } = frame;
  // What goes on first, and in it what is new.
  const sorted = alerts.toSorted(
    (one, other) =>
      Number(one.clearedAtMs !== null) - Number(other.clearedAtMs !== null) || other.raisedAtMs - one.raisedAtMs,
  );
  const written = sorted.slice(0, MOST_WRITTEN);
  const leftOut = sorted.length - written.length;
  const paragraphs = written.map((alert) => [alertLine(alert), ...details(alert, linkOf)].join('\n'));
  if (leftOut > 0) paragraphs.push(`And ${leftOut} more: GET /v1/alerts has them all.`);
  return {
    id,
    atMs,
    kind: 'alerts',
    subject: subjectOf(sorted, host),
    text: `${paragraphs.join('\n\n')}\n\nasterisk-mes on ${host}, ${utc(atMs)}\n`,
    html: null,
    json: JSON.stringify({
      id,
      type: 'alerts',
      at: new Date(atMs).toISOString(),
      host,
      alerts: sorted.map((alert) => ({ ...alertJson(alert), link: alert.calls > 0 ? linkOf(alert) : null })),
    }),
  };
}

function subjectOf(alerts: readonly Alert[], host: string): string {
  const [first] = alerts;
  const begun = alerts.filter(({ clearedAtMs }) => clearedAtMs === null).length;
  const ended = alerts.length - begun;
  if (first === undefined) return `${host}: no alert`;
  if (alerts.length === 1) return `${host}: ${alertLine(first)}`;
  const counts = [begun > 0 ? `${begun} go on` : [], ended > 0 ? `${ended} are over` : []].flat().join(', ');
  const rules = [...new Set(alerts.map(({ rule }) => rule))];
  const names = rules.length > STORM ? `${rules.slice(0, STORM).join(', ')} and others` : rules.join(', ');
  return `${host}: ${alerts.length} alerts (${counts}): ${names}`;
}

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

/** Between the endpoint and the PBX in the subject of an alert; no name of a PBX has a blank. */
const ON_PBX = ' on ';

/** The subject of an alert about an endpoint of one PBX. */
export function endpointOnPbx(endpoint: string, pbx: string): string {
  return `${endpoint}${ON_PBX}${pbx}`;
}

interface Whom {
  readonly endpoint: string | null;
  readonly site: string | null;
  /** Of a fleet's alerts about one PBX. */
  readonly pbx?: string;
}

/** Whom an alert is about. */
export function whom({ by, subject }: Pick<Alert, 'by' | 'subject'>): Whom {
  if (subject === TOGETHER) return { endpoint: null, site: null };
  if (by === 'site') return { endpoint: null, site: subject };
  if (by === 'pbx') return { endpoint: null, site: null, pbx: subject };
  if (by !== 'pbx-endpoint') return { endpoint: subject, site: null };
  const at = subject.lastIndexOf(ON_PBX);
  return { endpoint: subject.slice(0, at), site: null, pbx: subject.slice(at + ON_PBX.length) };
}

/** An alert as REST and webhooks have it. */
export function alertJson(alert: Alert) {
  return {
    id: alert.id,
    rule: alert.rule,
    what: alert.what,
    ...whom(alert),
    status: alert.clearedAtMs === null ? ('active' as const) : ('over' as const),
    since: new Date(alert.sinceMs).toISOString(),
    raised_at: new Date(alert.raisedAtMs).toISOString(),
    over_at: iso(alert.clearedAtMs),
    over_because: alert.clearedBecause,
    value: alert.value,
    worst: alert.worst,
    sentence: sentenceOf(alert),
    reachable: alert.isReachable ?? null,
    calls: alert.calls,
    linkedids: [...alert.linkedids],
    place: alert.place,
    told_at: iso(alert.toldAtMs),
    end_told_at: iso(alert.endToldAtMs),
  };
}
