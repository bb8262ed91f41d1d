import { z } from 'zod';
import type { Clock, TimeRange } from '../../model/ports.ts';
import { parseMoment } from '../../units/moment.ts';
import { noSuchCall, trunkRange } from './evidence.ts';
import { Page } from '../page.ts';
import { LIST_QUERY, NO_QUERY } from '../parameters.ts';
import { Problem } from '../problem.ts';
import { type Route, route } from '../route.ts';

const TIME = z.iso.datetime({ precision: 3 });
const DAYS = z.int().min(1).max(365).optional().describe('how long the link works; 30 unless given');
const USUAL_DAYS = 30;

const CALL_BODY = z.strictObject({ days: DAYS });
const MOMENT = z.string().max(40).optional().describe('an ISO 8601 time, or -30d');
const TRUNK_BODY = z.strictObject({ days: DAYS, from: MOMENT, to: MOMENT });
const MADE = z.strictObject({
  id: z.string().describe('by which it is taken back'),
  url: z.string(),
  expires_at: TIME,
});
const REVOKED = z.strictObject({ revoked: z.boolean() });
const SHARES = z.strictObject({
  shares: z.array(
    z.strictObject({
      id: z.string(),
      kind: z.enum(['call', 'trunk', 'alert']),
      subject: z
        .string()
        .describe('what it shows: the linkedid of a call, the endpoint of a trunk, the id of an alert'),
      from: TIME.nullable().describe('of a trunk: from when on its calls are shown'),
      to: TIME.nullable().describe('of a trunk: until when'),
      made_at: TIME,
      expires_at: TIME,
      revoked_at: TIME.nullable().describe('null: it works'),
    }),
  ),
});

export interface NewShare {
  readonly id: string;
  readonly url: string;
  readonly expiresAtMs: number;
}

export interface ShareService {
  /** Makes a link to a call; null: no such call. */
  shareCall(linkedid: string, days: number): Promise<NewShare | null>;
  shareTrunk(endpoint: string, range: TimeRange, days: number): Promise<NewShare>;
  /** Links that were made or revoked, the newest first, until they expire. */
  shares(): Promise<z.output<typeof SHARES>['shares']>;
  /** Revokes a link; false: there is none. The id of an alert revokes the link in its messages. */
  revoke(id: string): Promise<boolean>;
  /** Revokes every link made so far. */
  revokeAll(): Promise<void>;
  /** The page of a link; `isThere` false: the link does not work. */
  page(token: string): Promise<{ readonly html: string; readonly isThere: boolean }>;
  readonly pageHeaders: Readonly<Record<string, string>>;
}

const answerOf = ({ id, url, expiresAtMs }: NewShare): z.output<typeof MADE> => ({
  id,
  url,
  expires_at: new Date(expiresAtMs).toISOString(),
});

/** Routes that make, list, revoke and open links. */
export function shareRoutes(service: ShareService, clock: Clock): readonly Route[] {
  return [
    route({
      method: 'POST',
      path: '/v1/calls/:linkedid/share',
      summary: 'A link that shows this call, and nothing else, to whoever has it',
      access: 'token',
      query: NO_QUERY,
      body: CALL_BODY,
      answer: MADE,
      status: 201,
      async handle({ id: linkedid, body: { days = USUAL_DAYS } }) {
        const made = await service.shareCall(linkedid, days);
        if (made === null) throw noSuchCall();
        return answerOf(made);
      },
    }),
    route({
      method: 'POST',
      path: '/v1/trunks/:endpoint/share',
      summary: 'A link that shows the evidence of this trunk over this time, and nothing else',
      access: 'token',
      query: NO_QUERY,
      body: TRUNK_BODY,
      answer: MADE,
      status: 201,
      async handle({ id: endpoint, body: { from, to, days = USUAL_DAYS } }) {
        const range = trunkRange({ from: momentOf('from', from), to: momentOf('to', to) }, clock.nowMs());
        return answerOf(await service.shareTrunk(endpoint, range, days));
      },
    }),
    route({
      path: '/v1/shares',
      summary: 'Links that were made, and those that were taken back',
      access: 'token',
      query: LIST_QUERY,
      answer: SHARES,
      handle: async ({ query: { limit } }) => ({ shares: (await service.shares()).slice(0, limit) }),
    }),
    route({
      method: 'DELETE',
      path: '/v1/shares/:id',
      summary: 'Takes back one link; with the id of an alert, the links of its messages',
      access: 'token',
      query: NO_QUERY,
      answer: REVOKED,
      async handle({ id }) {
        if (!(await service.revoke(id)))
          throw new Problem('MES_ERR_NO_SUCH_ID', 'no link has this id; GET /v1/shares lists them');
        return { revoked: true };
      },
    }),
    route({
      method: 'DELETE',
      path: '/v1/shares',
      summary: 'Takes back every link that was made so far, those in messages too',
      access: 'token',
      query: NO_QUERY,
      answer: REVOKED,
      async handle() {
        await service.revokeAll();
        return { revoked: true };
      },
    }),
    route({
      path: '/s/:token',
      summary: 'The page that a link shows',
      access: 'open',
      isPage: true,
      type: 'text/html',
      query: NO_QUERY,
      answer: z.string(),
      async handle({ id: token }) {
        const { html, isThere } = await service.page(token);
        return new Page(html, isThere ? 200 : 404, service.pageHeaders);
      },
    }),
  ];
}

function momentOf(name: string, text: string | undefined): ReturnType<typeof parseMoment> {
  if (text === undefined) return undefined;
  const parsed = parseMoment(text);
  if (parsed === undefined) {
    throw new Problem(
      'MES_ERR_PARAMETER_VALUE',
      `parameter ${name}: it is no time; give ISO 8601 such as 2026-11-20T10:00:00Z, or -30d`,
      name,
    );
  }
  return parsed;
}
