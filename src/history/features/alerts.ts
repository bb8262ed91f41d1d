import type {
  Alert,
  AlertDelivery,
  AlertMessage,
  AlertWay,
  EndedLegs,
  LegSample,
  OtherCalls,
} from '../../model/alert.ts';
import type { FaultPlace } from '../../model/fault.ts';
import type { Verdict } from '../../model/score.ts';
import { BAD, JUDGED } from '../sums/contribution.ts';
import type { Feature } from '../schema/feature.ts';
import type { Statements } from '../schema/statements.ts';

/** Changes that are saved in one transaction. */
export interface AlertChanges {
  readonly alerts: readonly Alert[];
  readonly message: AlertMessage | null;
  readonly ways: readonly AlertWay[];
}

/** Asks for channels that ended in [fromMs, toMs). */
export interface LegsQuery {
  readonly fromMs: number;
  readonly toMs: number;
  readonly limit: number;
}

/** Calls that began in [fromMs, toMs): how many of their channels that had ended by then ended in which stretch of this length. */
export interface EndsQuery {
  readonly fromMs: number;
  readonly toMs: number;
  readonly endedBeforeMs: number;
  readonly stretchMs: number;
}

/** Asks for channels of calls that began in [fromMs, toMs), by device or site. */
export interface GroupsQuery {
  readonly by: 'device' | 'site';
  readonly fromMs: number;
  readonly toMs: number;
}

export interface GroupSums {
  readonly name: string;
  readonly legs: number;
  /** Channels with a verdict on their quality. */
  readonly judgedLegs: number;
  readonly badLegs: number;
  readonly scored: number;
  readonly mesSum: number;
}

/** A call, and when it was up. */
export interface BesideQuery {
  readonly linkedid: string;
  readonly fromMs: number;
  readonly toMs: number;
}

const sqlWords = (words: ReadonlySet<Verdict | null>): string => [...words].map((word) => `'${word}'`).join(', ');
const IS_BAD = `channels.verdict IN (${sqlWords(BAD)})`;
const IS_JUDGED = `channels.verdict IN (${sqlWords(JUDGED)})`;

/** Calls that last longer are not found by the time of their end. */
const LONGEST_CALL_MS = 86_400_000;
/** Alerts and messages older than this are deleted. */
const KEEP_MS = 90 * 86_400_000;

interface LegRow {
  readonly linkedid: string;
  readonly uniqueid: string;
  readonly endpoint: string;
  readonly site: string | null;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly answeredAtMs: number | null;
  readonly verdict: Verdict | null;
  readonly mes: number | null;
  readonly lossPercent: number | null;
  readonly jitterMs: number | null;
  readonly rttMs: number | null;
  readonly farReports: number | null;
  readonly faultPlace: FaultPlace | null;
}

function sampleOf({ answeredAtMs, farReports, ...row }: LegRow): LegSample {
  return { ...row, answered: answeredAtMs !== null, hasFarReports: (farReports ?? 0) > 0, badSinceMs: null };
}

/** Alerts, their messages, and the ways that have not taken a message yet. */
export const ALERTS = {
  steps: [
    `CREATE TABLE alerts (
      id TEXT PRIMARY KEY, raised_at_ms INTEGER NOT NULL, cleared_at_ms INTEGER, alert TEXT NOT NULL
    ) STRICT;
    CREATE INDEX alerts_by_time ON alerts (raised_at_ms);
    CREATE TABLE alert_messages (id TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, alerts INTEGER NOT NULL, message TEXT NOT NULL) STRICT;
    CREATE INDEX alert_messages_by_time ON alert_messages (at_ms);
    CREATE TABLE alert_deliveries (
      message_id TEXT NOT NULL, way TEXT NOT NULL, attempts INTEGER NOT NULL, next_at_ms INTEGER NOT NULL,
      PRIMARY KEY (message_id, way)
    ) STRICT;
    CREATE TABLE alert_settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT`,
  ],
  writes: {
    /** Saves changed alerts together with their message. */
    save(statements: Statements, { alerts, message, ways }: AlertChanges): void {
      for (const alert of alerts) {
        statements.run(
          'INSERT OR REPLACE INTO alerts VALUES (?, ?, ?, ?)',
          alert.id,
          Math.round(alert.raisedAtMs),
          alert.clearedAtMs === null ? null : Math.round(alert.clearedAtMs),
          JSON.stringify(alert),
        );
      }
      if (message === null) return;
      const atMs = Math.round(message.atMs);
      const isNew = statements.run(
        'INSERT OR IGNORE INTO alert_messages VALUES (?, ?, ?, ?)',
        message.id,
        atMs,
        message.kind === 'alerts' ? alerts.length : 0,
        JSON.stringify(message),
      );
      if (isNew === 0) return;
      for (const way of ways) {
        statements.run('INSERT OR IGNORE INTO alert_deliveries VALUES (?, ?, 0, ?)', message.id, way, atMs);
      }
      statements.run('DELETE FROM alerts WHERE cleared_at_ms < ?', atMs - KEEP_MS);
      statements.run('DELETE FROM alert_deliveries WHERE next_at_ms < ?', atMs - KEEP_MS);
      statements.run(
        'DELETE FROM alert_messages WHERE at_ms < ? AND id NOT IN (SELECT message_id FROM alert_deliveries)',
        atMs - KEEP_MS,
      );
    },
    delivered(statements: Statements, { messageId, way }: Pick<AlertDelivery, 'messageId' | 'way'>): void {
      statements.run('DELETE FROM alert_deliveries WHERE message_id = ? AND way = ?', messageId, way);
    },
    tryAgain(statements: Statements, { messageId, way, attempts, nextAtMs }: AlertDelivery): void {
      statements.run(
        'UPDATE alert_deliveries SET attempts = ?, next_at_ms = ? WHERE message_id = ? AND way = ?',
        attempts,
        Math.round(nextAtMs),
        messageId,
        way,
      );
    },
    /** Stores a value unless the name has one; returns the stored value. */
    keepSetting(statements: Statements, { name, value }: { name: string; value: string }): string {
      statements.run('INSERT OR IGNORE INTO alert_settings VALUES (?, ?)', name, value);
      return statements.prepared('SELECT value FROM alert_settings WHERE name = ?').pluck().get(name) as string;
    },
    replaceSetting(statements: Statements, { name, value }: { name: string; value: string }): void {
      statements.run('INSERT OR REPLACE INTO alert_settings VALUES (?, ?)', name, value);
    },
  },
  reads: {
    /** Open alerts, and those raised or ended since `sinceMs`, the newest first. */
    list(statements: Statements, { sinceMs, limit }: { sinceMs: number; limit: number }): Alert[] {
      const texts = statements
        .prepared(
          `SELECT alert FROM alerts WHERE cleared_at_ms IS NULL OR cleared_at_ms >= ? OR raised_at_ms >= ?
          ORDER BY cleared_at_ms IS NULL DESC, raised_at_ms DESC, id LIMIT ?`,
        )
        .pluck()
        .all(sinceMs, sinceMs, limit) as string[];
      return texts.map((text) => JSON.parse(text) as Alert);
    },
    one(statements: Statements, id: string): Alert | null {
      const text = statements.prepared('SELECT alert FROM alerts WHERE id = ?').pluck().get(id);
      return typeof text === 'string' ? (JSON.parse(text) as Alert) : null;
    },
    /** Open alerts, and ended ones whose end was not sent. */
    unfinished(statements: Statements): Alert[] {
      const texts = statements
        .prepared(
          `SELECT alert FROM alerts
          WHERE cleared_at_ms IS NULL OR alert ->> 'endToldAtMs' IS NULL ORDER BY raised_at_ms, id`,
        )
        .pluck()
        .all() as string[];
      return texts.map((text) => JSON.parse(text) as Alert);
    },
    /** Time of the last message about alerts and its number of alerts; null: none. */
    lastMessage(statements: Statements): { readonly atMs: number; readonly alerts: number } | null {
      const found = statements
        .prepared('SELECT at_ms AS atMs, alerts FROM alert_messages WHERE alerts > 0 ORDER BY at_ms DESC LIMIT 1')
        .get();
      return (found ?? null) as { atMs: number; alerts: number } | null;
    },
    setting(statements: Statements, name: string): string | null {
      return (statements.prepared('SELECT value FROM alert_settings WHERE name = ?').pluck().get(name) ?? null) as
        | string
        | null;
    },
    hasMessage(statements: Statements, id: string): boolean {
      return statements.prepared('SELECT 1 FROM alert_messages WHERE id = ?').get(id) !== undefined;
    },
    /** Undelivered messages, the oldest first. */
    undelivered(statements: Statements, limit: number): { delivery: AlertDelivery; message: AlertMessage }[] {
      const rows = statements
        .prepared(
          `SELECT message_id AS messageId, way, attempts, next_at_ms AS nextAtMs, message
          FROM alert_deliveries JOIN alert_messages ON alert_messages.id = message_id ORDER BY at_ms, way LIMIT ?`,
        )
        .all(limit) as (AlertDelivery & { message: string })[];
      return rows.map(({ message, ...delivery }) => ({ delivery, message: JSON.parse(message) as AlertMessage }));
    },
    /** Groups by number of channels, at most a thousand. Unanswered channels do not count. */
    groups(statements: Statements, { by, fromMs, toMs }: GroupsQuery): GroupSums[] {
      // Not by the alias, which is also a column of channels.
      const group = by === 'device' ? 'channels.device' : 'channels.site';
      return statements
        .prepared(
          `SELECT ${group} AS name, count(*) AS legs,
            total(${IS_JUDGED}) AS judgedLegs, total(${IS_BAD}) AS badLegs,
            count(channels.mes) AS scored, total(channels.mes) AS mesSum
          FROM calls JOIN channels ON channels.linkedid = calls.linkedid
          WHERE calls.started_at_ms >= ? AND calls.started_at_ms < ? AND ${group} IS NOT NULL
            AND channels.answered_at_ms IS NOT NULL
          GROUP BY ${group} ORDER BY legs DESC, ${group} LIMIT 1000`,
        )
        .all(fromMs, toMs) as GroupSums[];
    },
    /** Calls with an answered channel that was up with it for a moment, and has ended. */
    callsBeside(statements: Statements, { linkedid, fromMs, toMs }: BesideQuery): OtherCalls {
      return statements
        .prepared(
          `SELECT count(*) AS calls, total(isJudged) AS judgedCalls, total(isBad) AS badCalls FROM (
            SELECT max(${IS_JUDGED}) AS isJudged, max(${IS_BAD}) AS isBad
            FROM calls JOIN channels ON channels.linkedid = calls.linkedid
            WHERE calls.started_at_ms >= ? AND calls.started_at_ms < ? AND calls.linkedid <> ?
              AND channels.answered_at_ms IS NOT NULL AND channels.started_at_ms < ? AND channels.ended_at_ms > ?
            GROUP BY calls.linkedid
          )`,
        )
        .get(fromMs - LONGEST_CALL_MS, toMs, linkedid, toMs, fromMs) as OtherCalls;
    },
    /** When endpoints had calls. */
    ends(statements: Statements, { fromMs, toMs, endedBeforeMs, stretchMs }: EndsQuery): EndedLegs[] {
      const isAlive = '(channels.answered_at_ms IS NOT NULL OR channels.uniqueid = calls.linkedid)';
      return statements
        .prepared(
          `SELECT channels.endpoint, max(channels.site) AS site,
            CAST(channels.ended_at_ms / ? AS INTEGER) AS stretch, count(*) AS legs,
            total(${isAlive}) AS alive, max(CASE WHEN ${isAlive} THEN channels.ended_at_ms END) AS lastAliveMs
          FROM calls JOIN channels ON channels.linkedid = calls.linkedid
          WHERE calls.started_at_ms >= ? AND calls.started_at_ms < ? AND channels.ended_at_ms < ?
          GROUP BY channels.endpoint, stretch`,
        )
        .all(stretchMs, fromMs, toMs, endedBeforeMs) as EndedLegs[];
    },
    /** Ended channels in the order of their ends. */
    legs(statements: Statements, { fromMs, toMs, limit }: LegsQuery): LegSample[] {
      const rows = statements
        .prepared(
          `SELECT calls.linkedid, channels.uniqueid, channels.endpoint, channels.site, channels.started_at_ms AS startedAtMs,
            channels.ended_at_ms AS endedAtMs, channels.answered_at_ms AS answeredAtMs, channels.verdict, channels.mes,
            max(streams.loss_percent) AS lossPercent, max(streams.jitter_mean_ms) AS jitterMs,
            max(streams.rtt_mean_ms) AS rttMs,
            total(CASE WHEN streams.reporter = 'remote' THEN streams.reports END) AS farReports,
            calls.fault_place AS faultPlace
          FROM calls JOIN channels ON channels.linkedid = calls.linkedid
            LEFT JOIN streams ON streams.uniqueid = channels.uniqueid
          WHERE calls.started_at_ms >= ? AND calls.started_at_ms < ?
            AND channels.ended_at_ms >= ? AND channels.ended_at_ms < ?
          GROUP BY channels.uniqueid ORDER BY channels.ended_at_ms, channels.uniqueid LIMIT ?`,
        )
        .all(fromMs - LONGEST_CALL_MS, toMs, fromMs, toMs, limit) as LegRow[];
      return rows.map(sampleOf);
    },
  },
  join(statements: Statements, from: string, into: string): void {
    const open = statements
      .prepared('SELECT id, alert FROM alerts WHERE instr(alert, ?) > 0')
      .all(JSON.stringify(from)) as { id: string; alert: string }[];
    for (const { id, alert } of open) {
      const parsed = JSON.parse(alert) as Alert;
      const linkedids = [...new Set(parsed.linkedids.map((linkedid) => (linkedid === from ? into : linkedid)))];
      statements.run('UPDATE alerts SET alert = ? WHERE id = ?', JSON.stringify({ ...parsed, linkedids }), id);
    }
  },
} as const satisfies Feature;
