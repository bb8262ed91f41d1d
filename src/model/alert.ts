import type { FaultPlace } from './fault.ts';
import type { Verdict } from './score.ts';

/**
 * What a rule looks at. `bad-live`: calls that are up and are bad now; `bad-calls` and `one-way`: share of the calls, in
 * percent; `p5`: the 5th percentile of the scores; `loss`, `jitter`, `rtt`: mean over the calls of the worse direction;
 * `no-reports`: share of the calls of an endpoint that sent reports before and now sends none; `gone`: calls that are usual in
 * the time since the last one; `unreachable`: endpoints that Asterisk cannot reach; `ami`: seconds without a connection to Asterisk.
 */
export const ALERT_SUBJECTS = [
  'bad-live',
  'bad-calls',
  'p5',
  'one-way',
  'loss',
  'jitter',
  'rtt',
  'no-reports',
  'gone',
  'unreachable',
  'ami',
] as const;

/**
 * What a rule of a fleet looks at: the sums of its PBXs, and `silent`: seconds in which nothing was heard of a PBX; `problem`:
 * seconds in which a PBX has said that it cannot score calls.
 */
export const FLEET_ALERT_SUBJECTS = ['silent', 'problem', 'bad-calls', 'p5', 'loss', 'jitter', 'rtt'] as const;

export type AlertSubject = (typeof ALERT_SUBJECTS)[number] | (typeof FLEET_ALERT_SUBJECTS)[number];

/** Minutes of the local day; may go over midnight. */
export interface QuietHours {
  readonly fromMinute: number;
  readonly toMinute: number;
}

export const ALERT_GROUPINGS = ['endpoint', 'site', 'all'] as const;
/** `pbx-endpoint`: an endpoint of one PBX; `endpoint` and `site`: those of that name on all PBXs together. */
export const FLEET_ALERT_GROUPINGS = ['pbx', 'pbx-endpoint', 'endpoint', 'site', 'all'] as const;
export type AlertGrouping = (typeof ALERT_GROUPINGS)[number] | (typeof FLEET_ALERT_GROUPINGS)[number];

/** One `[alert:NAME]`. */
export interface AlertRule {
  readonly name: string;
  readonly what: AlertSubject;
  /** The length of the window, back from now. For `bad-live`, `gone`, `unreachable` and `ami`: how long the fault has to last. */
  readonly overMs: number;
  /** Endpoints, or the beginnings of their names and `*`. */
  readonly endpoints: readonly string[];
  /** `endpoint`: each by itself. `site`: those of a site together. `all`: those that the patterns name, together. */
  readonly by: AlertGrouping;
  /** With fewer calls the rule does not judge. */
  readonly calls: number;
  /** In the unit of the subject. A p5 rule raises at or below it, all others at or above. */
  readonly raise: number;
  readonly clear: number;
  readonly quiet: QuietHours | null;
  /** How often an alert that goes on is sent again; null: once. */
  readonly againMs: number | null;
  /** False: the alert is only shown. */
  readonly send: boolean;
}

/** One `[alert:NAME]` of a fleet. */
export interface FleetAlertRule extends AlertRule {
  /** PBXs, or their beginnings and `*`; missing: all. */
  readonly pbxs?: readonly string[] | undefined;
  /** Where the PBXs are; missing: anywhere. */
  readonly sites?: readonly string[] | undefined;
}

/** One channel's part in a call, as far as rules look at it. For a channel that is up it covers the last half minute. */
export interface LegSample {
  readonly linkedid: string;
  readonly uniqueid: string;
  readonly endpoint: string;
  /** The endpoint's site by `[network:PREFIX]`; null: not known. */
  readonly site: string | null;
  /** When the channel began. */
  readonly startedAtMs: number;
  /** When it ended; null: it is up. */
  readonly endedAtMs: number | null;
  readonly answered: boolean;
  readonly verdict: Verdict | null;
  readonly mes: number | null;
  /** The value of the worse direction; null: not known. */
  readonly lossPercent: number | null;
  readonly jitterMs: number | null;
  readonly rttMs: number | null;
  /** Whether the far end sent RTCP. */
  readonly hasFarReports: boolean;
  /** Since when a channel that is up has been bad without a break; null: it is not, or it has ended. */
  readonly badSinceMs: number | null;
  readonly faultPlace: FaultPlace | null;
}

/** Channels of one endpoint that ended in one stretch of time. */
export interface EndedLegs {
  readonly endpoint: string;
  readonly site: string | null;
  /** The stretch, counted from 1970 in lengths of a stretch. */
  readonly stretch: number;
  readonly legs: number;
  /** Those that show that the endpoint is there: it began the call, or answered it. */
  readonly alive: number;
  /** When the last of these ended; null: there is none. */
  readonly lastAliveMs: number | null;
}

/** An alert: that it began, and perhaps that it is over. */
export interface Alert {
  readonly id: string;
  readonly rule: string;
  readonly what: AlertSubject;
  /** The endpoint or site; `all` where the rule takes them together. */
  readonly subject: string;
  /** What `subject` is. Missing in alerts of older releases: then an endpoint, or all. */
  readonly by?: AlertGrouping;
  /** When the first of its calls began, the connection was lost, or the last call ended. */
  readonly sinceMs: number;
  readonly raisedAtMs: number;
  /** When it was over; null: it goes on. */
  readonly clearedAtMs: number | null;
  readonly clearedBecause: 'better' | 'no-calls' | 'rule-gone' | null;
  /** The present value; null: not known. */
  readonly value: number | null;
  readonly worst: number;
  /** The number of calls that it is about, and the linkedids of the first of them. */
  readonly calls: number;
  readonly linkedids: readonly string[];
  readonly place: FaultPlace | null;
  /** Whether Asterisk can reach the endpoint; missing or null: not known, or several. */
  readonly isReachable?: boolean | null;
  /** When the last message said that it goes on, and that it is over. */
  readonly toldAtMs: number | null;
  readonly endToldAtMs: number | null;
}

/** One message about one or more alerts. */
export interface AlertMessage {
  readonly id: string;
  readonly atMs: number;
  readonly kind: 'alerts' | 'digest';
  readonly subject: string;
  readonly text: string;
  /** Null: text only. */
  readonly html: string | null;
  /** The body of the webhook's request. */
  readonly json: string;
}

export type AlertWay = 'mail' | 'webhook' | 'ami';

/** A message that still has to be sent one way. */
export interface AlertDelivery {
  readonly messageId: string;
  readonly way: AlertWay;
  readonly attempts: number;
  readonly nextAtMs: number;
}

/** Answered calls that used this server at the time of another one. */
export interface OtherCalls {
  readonly calls: number;
  readonly judgedCalls: number;
  readonly badCalls: number;
}
