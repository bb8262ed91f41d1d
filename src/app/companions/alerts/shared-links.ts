import { randomBytes } from 'node:crypto';
import { alertJson } from '../../../alerting/messages/words.ts';
import { noSuchLinkPage, SHARE_HEADERS } from '../../../alerts/page-parts.ts';
import { alertPage, type AlertCall } from '../../../alerts/share-pages.ts';
import { readShareToken, type Shared, type SharedKind, shareToken } from '../../../alerts/signing.ts';
import type { NewShare, ShareService } from '../../../api/alerts/shares.ts';
import type { Share } from '../../../history/features/shares.ts';
import type { Alert } from '../../../model/alert.ts';
import type { TimeRange } from '../../../model/ports.ts';
import { roundOpinion } from '../../../score/opinion.ts';
import type { CompanionContext } from '../companion.ts';
import type { EvidenceMaker } from './evidence-maker.ts';

const DAY_MS = 86_400_000;
const KEY_BYTES = 32;
const ID_BYTES = 9;
/** Life of a link in an alert's message. */
const ALERT_LINK_DAYS = 30;
const MOST_LISTED = 1000;

/** Makes, revokes and serves links to a call, to a trunk over a time, or to the calls of an alert. */
export class SharedLinks implements ShareService {
  readonly pageHeaders = SHARE_HEADERS;
  readonly #context: CompanionContext;
  readonly #url: string;
  readonly #findAlert: (id: string) => Promise<Alert | null>;
  readonly #evidence: EvidenceMaker;
  #key = randomBytes(KEY_BYTES).toString('base64url');

  constructor(
    context: CompanionContext,
    options: {
      readonly url: string;
      readonly findAlert: (id: string) => Promise<Alert | null>;
      readonly evidence: EvidenceMaker;
    },
  ) {
    this.#context = context;
    this.#url = options.url;
    this.#findAlert = options.findAlert;
    this.#evidence = options.evidence;
  }

  /** Reads the stored links, so that they work after a restart. */
  async restore(): Promise<void> {
    const { features } = this.#context.history;
    this.#key = await features.write('alerts', 'keepSetting', { name: 'share_key', value: this.#key });
  }

  async revokeAll(): Promise<void> {
    const { history, clock } = this.#context;
    const key = randomBytes(KEY_BYTES).toString('base64url');
    await history.features.write('alerts', 'replaceSetting', { name: 'share_key', value: key });
    this.#key = key;
    await history.features.write('shares', 'revokeAll', clock.nowMs());
  }

  async revoke(id: string): Promise<boolean> {
    const { history, clock } = this.#context;
    const atMs = clock.nowMs();
    if (await history.features.write('shares', 'revoke', { id, atMs })) return true;
    if ((await this.#findAlert(id)) === null) return false;
    // Links of an alert are not stored. Store that they are revoked, until they would have expired.
    const expiresAtMs = atMs + ALERT_LINK_DAYS * DAY_MS;
    await history.features.write('shares', 'keep', {
      id,
      kind: 'alert',
      subject: id,
      madeAtMs: atMs,
      expiresAtMs,
      revokedAtMs: atMs,
    });
    return true;
  }

  async shares() {
    const { history, clock } = this.#context;
    const shares = await history.features.read('shares', 'list', { nowMs: clock.nowMs(), limit: MOST_LISTED });
    return shares.map(({ id, kind, subject, madeAtMs, expiresAtMs, revokedAtMs }) => ({
      id,
      kind,
      ...sharedOf(kind, subject),
      made_at: new Date(madeAtMs).toISOString(),
      expires_at: new Date(expiresAtMs).toISOString(),
      revoked_at: revokedAtMs === null ? null : new Date(revokedAtMs).toISOString(),
    }));
  }

  ofAlert(id: string): string {
    return this.#link({
      kind: 'alert',
      id,
      share: id,
      expiresAtMs: this.#context.clock.nowMs() + ALERT_LINK_DAYS * DAY_MS,
    });
  }

  async shareCall(linkedid: string, days: number): Promise<NewShare | null> {
    const call = await this.#context.calls.call(linkedid);
    return call === null ? null : this.#make('call', call.linkedid, days);
  }

  shareTrunk(endpoint: string, range: TimeRange, days: number): Promise<NewShare> {
    return this.#make('trunk', JSON.stringify({ endpoint, ...range }), days);
  }

  async #make(kind: SharedKind, subject: string, days: number): Promise<NewShare> {
    const { history, clock } = this.#context;
    const madeAtMs = clock.nowMs();
    // Whole seconds, as in the token.
    const expiresAtMs = Math.floor(madeAtMs / 1000) * 1000 + days * DAY_MS;
    const id = randomBytes(ID_BYTES).toString('base64url');
    await history.features.write('shares', 'keep', { id, kind, subject, madeAtMs, expiresAtMs, revokedAtMs: null });
    return { id, url: this.#link({ kind, id: kind === 'call' ? subject : id, share: id, expiresAtMs }), expiresAtMs };
  }

  #link(shared: Shared): string {
    return `${this.#url}/s/${shareToken(shared, this.#key)}`;
  }

  async page(token: string): Promise<{ readonly html: string; readonly isThere: boolean }> {
    const { clock, history } = this.#context;
    const shared = readShareToken(token, this.#key, clock.nowMs());
    if (shared === undefined) return { html: noSuchLinkPage(), isThere: false };
    const stored = await history.features.read('shares', 'one', shared.share);
    const html = stored !== null && stored.revokedAtMs !== null ? null : await this.#pageOf(shared, stored);
    return html === null ? { html: noSuchLinkPage(), isThere: false } : { html, isThere: true };
  }

  async #pageOf(shared: Shared, stored: Share | null): Promise<string | null> {
    if (shared.kind === 'call') return this.#evidence.callPage(shared.id);
    if (shared.kind === 'alert') return this.#alertPage(shared);
    if (stored?.kind !== 'trunk') return null;
    const { endpoint, ...range } = trunkOf(stored.subject);
    return this.#evidence.trunkPage(endpoint, range);
  }

  /** The page of an alert. Links to its calls expire with it and are revoked with it. Null: no such alert. */
  async #alertPage({ id, share, expiresAtMs }: Shared): Promise<string | null> {
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
        link: this.#link({ kind: 'call', id: call.linkedid, share, expiresAtMs }),
      });
    }
    return alertPage(alertJson(alert), rows);
  }
}

function trunkOf(subject: string): TimeRange & { readonly endpoint: string } {
  return JSON.parse(subject) as TimeRange & { readonly endpoint: string };
}

/** What a link shows, as REST says it; the times are null but of a trunk. */
function sharedOf(kind: Share['kind'], subject: string) {
  if (kind !== 'trunk') return { subject, from: null, to: null };
  const { endpoint, fromMs, toMs } = trunkOf(subject);
  return { subject: endpoint, from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() };
}
