import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { evidenceOf, type Evidence } from '../../alerting/evidence.ts';
import { alertJson } from '../../alerting/words.ts';
import { alertPage, evidencePage, noSuchLinkPage, SHARE_HEADERS, type AlertCall } from '../../alerts/share-pages.ts';
import { readShareToken, shareToken, type SharedKind } from '../../alerts/signing.ts';
import type { EvidenceService } from '../../api/evidence.ts';
import type { Alert } from '../../model/alert.ts';
import type { IntervalRecord } from '../../model/record.ts';
import { roundOpinion } from '../../score/opinion.ts';
import type { CompanionContext } from './companion.ts';

const DAY_MS = 86_400_000;
const KEY_BYTES = 32;
/** A link in a message shows the calls of its alert for this long. */
const ALERT_LINK_DAYS = 30;

/** Links that show one call or the calls of one alert, and what they show. */
export class SharedLinks implements EvidenceService {
  readonly pageHeaders = SHARE_HEADERS;
  readonly #context: CompanionContext;
  readonly #url: string;
  readonly #findAlert: (id: string) => Promise<Alert | null>;
  #key = randomBytes(KEY_BYTES).toString('base64url');

  constructor(context: CompanionContext, url: string, findAlert: (id: string) => Promise<Alert | null>) {
    this.#context = context;
    this.#url = url;
    this.#findAlert = findAlert;
  }

  /** Links that were made before a restart go on working. */
  async restore(): Promise<void> {
    const { features } = this.#context.history;
    this.#key = await features.write('alerts', 'keepSetting', { name: 'share_key', value: this.#key });
  }

  async revokeAll(): Promise<void> {
    const key = randomBytes(KEY_BYTES).toString('base64url');
    await this.#context.history.features.write('alerts', 'replaceSetting', { name: 'share_key', value: key });
    this.#key = key;
  }

  ofAlert(id: string): string {
    return this.#link('alert', id, this.#context.clock.nowMs() + ALERT_LINK_DAYS * DAY_MS);
  }

  share(linkedid: string, days: number): { readonly url: string; readonly expiresAtMs: number } {
    // The token has whole seconds.
    const expiresAtMs = Math.floor(this.#context.clock.nowMs() / 1000) * 1000 + days * DAY_MS;
    return { url: this.#link('call', linkedid, expiresAtMs), expiresAtMs };
  }

  #link(kind: SharedKind, id: string, expiresAtMs: number): string {
    return `${this.#url}/s/${shareToken({ kind, id, expiresAtMs }, this.#key)}`;
  }

  async evidence(linkedid: string): Promise<Evidence | null> {
    const { calls, clock } = this.#context;
    const call = await calls.call(linkedid);
    if (call === null) return null;
    const intervals = new Map<string, readonly IntervalRecord[]>();
    for (const { uniqueid } of call.channels) intervals.set(uniqueid, (await calls.intervals(uniqueid)) ?? []);
    const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
    return evidenceOf(call, intervals, { atMs: clock.nowMs(), host: hostname(), timeZone });
  }

  async page(token: string): Promise<{ readonly html: string; readonly isThere: boolean }> {
    const shared = readShareToken(token, this.#key, this.#context.clock.nowMs());
    const html =
      shared === undefined
        ? null
        : shared.kind === 'call'
          ? await this.#callPage(shared.id)
          : await this.#alertPage(shared.id, shared.expiresAtMs);
    return html === null ? { html: noSuchLinkPage(), isThere: false } : { html, isThere: true };
  }

  async #callPage(linkedid: string): Promise<string | null> {
    const evidence = await this.evidence(linkedid);
    return evidence === null ? null : evidencePage(evidence);
  }

  /** Its calls' links expire with it. */
  async #alertPage(id: string, expiresAtMs: number): Promise<string | null> {
    const alert = await this.#findAlert(id);
    if (alert === null) return null;
    const rows: AlertCall[] = [];
    for (const linkedid of alert.linkedids) {
      const call = await this.#context.calls.call(linkedid);
      if (call === null) continue;
      rows.push({
        linkedid: call.linkedid,
        started_at: new Date(call.startedAtMs).toISOString(),
        ended_at: call.endedAtMs === null ? null : new Date(call.endedAtMs).toISOString(),
        endpoints: [...new Set(call.channels.map(({ endpoint }) => endpoint))].join(', '),
        verdict: call.verdict,
        mes: call.mes === null ? null : roundOpinion(call.mes),
        link: this.#link('call', call.linkedid, expiresAtMs),
      });
    }
    return alertPage(alertJson(alert), rows);
  }
}
