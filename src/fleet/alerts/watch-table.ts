import type { Alert, AlertDelivery, AlertMessage, AlertWay } from '../../model/alert.ts';
import type { FleetStore } from '../store.ts';
import { quote } from '../read/sql.ts';
import type { Beat, BeatStore } from './lease.ts';

const DAY_MS = 86_400_000;
/** A message is given up after a week (alerts/outbox.ts). */
export const SENT_FOR_MS = 8 * DAY_MS;
/** Older alerts are not looked for; none goes on for so long. */
const KEPT_FOR_MS = 400 * DAY_MS;
const MOST_UNDELIVERED = 1000;

type Kind = 'gateway' | 'alert' | 'message' | 'delivery';

interface WatchRow {
  readonly kind: Kind;
  readonly id: string;
  /** When it began: an alert when it was raised, a message when it was made. */
  readonly began_at_ms: number;
  /** Null: it goes on, or it is not delivered. */
  readonly ended_at_ms: number | null;
  readonly body: object;
}

/**
 * What the gateways of a fleet know together, on the first shard: who of them leads, alerts, and what is to be sent. Rejects
 * with StoreError.
 */
export class WatchTable implements BeatStore {
  readonly #store: Pick<FleetStore, 'askFirst' | 'insertFirst'>;
  readonly #table: string;
  #version = 0;

  constructor(store: Pick<FleetStore, 'askFirst' | 'insertFirst'>, database: string) {
    this.#store = store;
    this.#table = `${database}.mes_watch`;
  }

  async readBeats(sinceMs: number): Promise<readonly Beat[]> {
    return this.#read<Beat>('gateway', `began_at_ms >= 0 AND stored_at_ms >= ${Math.round(sinceMs)}`);
  }

  async writeBeat(beat: Beat, nowMs: number): Promise<void> {
    const { id, began } = beat;
    await this.#write([{ kind: 'gateway', id, began_at_ms: began, ended_at_ms: null, body: beat }], nowMs);
  }

  /** Alerts that go on, or whose end was not sent yet. */
  async unfinished(nowMs: number): Promise<readonly Alert[]> {
    return this.#read<Alert>('alert', `began_at_ms >= ${Math.round(nowMs - KEPT_FOR_MS)}`, 'isNull(ended_at_ms)');
  }

  /** Alerts that go on, and those raised or ended since then. */
  async alertsSince(sinceMs: number, limit: number): Promise<readonly Alert[]> {
    const since = Math.max(0, Math.round(sinceMs));
    return this.#read<Alert>(
      'alert',
      `began_at_ms >= ${Math.max(0, since - KEPT_FOR_MS)}`,
      `isNull(ended_at_ms) OR ended_at_ms >= ${since} OR began_at_ms >= ${since}`,
      `ORDER BY isNull(ended_at_ms) DESC, began_at_ms DESC LIMIT ${limit}`,
    );
  }

  async alert(id: string): Promise<Alert | null> {
    return (await this.#read<Alert>('alert', `id = ${quote(id)}`))[0] ?? null;
  }

  /** Time of the last message and its number of alerts; null: there was none yet. */
  async lastMessage(nowMs: number): Promise<{ readonly atMs: number; readonly alerts: number } | null> {
    const since = Math.round(nowMs - SENT_FOR_MS);
    const order = 'ORDER BY began_at_ms DESC LIMIT 1';
    const found = await this.#read<StoredMessage>('message', `began_at_ms >= ${since}`, '1', order);
    const [last] = found;
    return last === undefined ? null : { atMs: last.message.atMs, alerts: last.alerts };
  }

  async undelivered(
    nowMs: number,
  ): Promise<readonly { readonly message: AlertMessage; readonly delivery: AlertDelivery }[]> {
    const since = `began_at_ms >= ${Math.round(nowMs - SENT_FOR_MS)}`;
    const order = `ORDER BY began_at_ms LIMIT ${MOST_UNDELIVERED}`;
    const deliveries = await this.#read<AlertDelivery>('delivery', since, 'isNull(ended_at_ms)', order);
    if (deliveries.length === 0) return [];
    const ids = deliveries.map(({ messageId }) => quote(messageId));
    const messages = await this.#read<StoredMessage>('message', `${since} AND id IN (${ids.join(', ')})`);
    const byId = new Map(messages.map(({ message }) => [message.id, message]));
    return deliveries.flatMap((delivery) => {
      const message = byId.get(delivery.messageId);
      return message === undefined ? [] : [{ message, delivery }];
    });
  }

  /** Stores alerts together with their message: all of it, or nothing. */
  async save(
    alerts: readonly Alert[],
    message: AlertMessage | null,
    ways: readonly AlertWay[],
    isFinished: (alert: Alert) => boolean,
    nowMs: number,
  ): Promise<void> {
    const rows: WatchRow[] = alerts.map((alert) => ({
      kind: 'alert',
      id: alert.id,
      began_at_ms: alert.raisedAtMs,
      ended_at_ms: isFinished(alert) ? alert.clearedAtMs : null,
      body: alert,
    }));
    if (message !== null) {
      const body: StoredMessage = { message, alerts: alerts.length };
      rows.push({ kind: 'message', id: message.id, began_at_ms: message.atMs, ended_at_ms: null, body });
      for (const way of ways)
        rows.push(deliveryRow({ messageId: message.id, way, attempts: 0, nextAtMs: message.atMs }, message.atMs, null));
    }
    if (rows.length > 0) await this.#write(rows, nowMs);
  }

  async tryAgain(delivery: AlertDelivery, messageAtMs: number, nowMs: number): Promise<void> {
    await this.#write([deliveryRow(delivery, messageAtMs, null)], nowMs);
  }

  async delivered(delivery: AlertDelivery, messageAtMs: number, nowMs: number): Promise<void> {
    await this.#write([deliveryRow(delivery, messageAtMs, nowMs)], nowMs);
  }

  /** The newest version of each; `sieve` may test only what all versions share. */
  async #read<T>(kind: Kind, sieve: string, test = '1', rest = ''): Promise<readonly T[]> {
    const rows = await this.#store.askFirst<{ readonly body: string }>(
      `SELECT body FROM (SELECT id, began_at_ms, ended_at_ms, body FROM ${this.#table}
        WHERE kind = '${kind}' AND (${sieve}) ORDER BY row_version DESC LIMIT 1 BY kind, id) WHERE ${test} ${rest}`,
    );
    return rows.map(({ body }) => JSON.parse(body) as T);
  }

  /** One insert into one partition: ClickHouse has all of these rows or none. */
  async #write(rows: readonly WatchRow[], nowMs: number): Promise<void> {
    this.#version = Math.max(Math.round(nowMs) * 1000, this.#version + 1);
    const whole = (ms: number | null): number | null => (ms === null ? null : Math.round(ms));
    const lines = rows.map(({ body, began_at_ms: began, ended_at_ms: ended, ...row }) => {
      const more = whole(ended) === null ? {} : { ended_at_ms: whole(ended) };
      return `${JSON.stringify({
        ...row,
        began_at_ms: whole(began),
        ...more,
        row_version: this.#version,
        stored_at_ms: Math.round(nowMs),
        body: JSON.stringify(body),
      })}\n`;
    });
    await this.#store.insertFirst(`INSERT INTO ${this.#table} FORMAT JSONEachRow`, Buffer.from(lines.join('')));
  }
}

interface StoredMessage {
  readonly message: AlertMessage;
  readonly alerts: number;
}

function deliveryRow(delivery: AlertDelivery, messageAtMs: number, endedAtMs: number | null): WatchRow {
  const id = `${delivery.messageId} ${delivery.way}`;
  return { kind: 'delivery', id, began_at_ms: messageAtMs, ended_at_ms: endedAtMs, body: delivery };
}
