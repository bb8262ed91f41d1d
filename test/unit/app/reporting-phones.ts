import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import type { AmiActions } from '../../../src/asterisk/ami/ami-actions.ts';
import type { Companion, CompanionContext } from '../../../src/app/companions/companion.ts';
import { phoneReports } from '../../../src/app/companions/phone-reports.ts';
import { createLog } from '../../../src/app/state/log.ts';
import { loadSettings } from '../../../src/config/settings.ts';
import { type History, openHistory } from '../../../src/history/history.ts';
import type { ChannelRecord } from '../../../src/model/record.ts';
import { local, remote, reportBlock, Script, snapshot } from '../calls/script.ts';
import { routeRequest } from '../api/route-request.ts';

const YEAR_MS = 365 * 86_400_000;
/** What Asterisk answers about the legs of alice (1) and bob (2). */
const VARIABLES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '1': { 'CHANNEL(pjsip,call-id)': '4915550100@phone', 'CHANNEL(pjsip,remote_addr)': '127.0.0.1:5060' },
  '2': {
    'CHANNEL(pjsip,call-id)': 'leg-of-bob',
    // Asterisk called him: it does not say where his answers come from, but where it sends to.
    'CHANNEL(pjsip,target_uri)': 'sip:bob@192.0.2.9:5060;transport=udp',
    'CHANNEL(rtp,src)': '203.0.113.5:10040',
  },
};
/** Questions to Asterisk about two legs. */
export const ASKED = 10;
const PHONES = { '1': 'PJSIP/alice-00000001', '2': 'PJSIP/bob-00000002' } as const;
/** What it says of itself unless told otherwise. */
const AGENT = 'Yealink SIP-T54W 96.86.0.100';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** A collector of phone reports on a port of its own, with a history, and the phones of alice and bob in a call. */
export class ReportingPhones {
  readonly script = new Script();
  readonly asked: string[] = [];
  readonly variables: Record<string, Readonly<Record<string, string>>> = { ...VARIABLES };
  readonly history: History;
  readonly companion: Companion;
  readonly port: number;

  /** A port that is free now may be taken by another program before it is bound. */
  static async open(more = '', attempts = 5): Promise<ReportingPhones> {
    try {
      return await ReportingPhones.#openOnce(more);
    } catch (error) {
      if (attempts === 1 || !String(error).includes('something else listens')) throw error;
      return ReportingPhones.open(more, attempts - 1);
    }
  }

  static async #openOnce(more: string): Promise<ReportingPhones> {
    const folder = mkdtempSync(join(tmpdir(), 'mes-heard-'));
    closers.push(() => rmSync(folder, { recursive: true }));
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const address = probe.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    probe.close();
    await once(probe, 'close');
    const text = `[ami]\nusername = mes\nsecret = s\n[phone_reports]\nbind = 127.0.0.1:${port}\n${more}`;
    const settings = loadSettings(text, 'mes.conf', {});
    const clock = { nowMs: () => Date.now() };
    const history = await openHistory({
      path: join(folder, 'mes.sqlite'),
      keepIntervalsMs: YEAR_MS,
      keepCallsMs: YEAR_MS,
      clock,
    });
    const phones = new ReportingPhones(settings, history, port);
    closers.push(async () => {
      await phones.companion.stop?.();
      await history.close();
    });
    await phones.companion.start?.();
    return phones;
  }

  private constructor(settings: CompanionContext['settings'], history: History, port: number) {
    this.history = history;
    this.port = port;
    this.script.atMs = Date.now();
    const { board } = this.script;
    const companion = phoneReports({
      settings,
      log: createLog('silent'),
      clock: { nowMs: () => Date.now() },
      history,
      calls: history,
      live: board,
      tellLive: () => {},
      asteriskVersion: () => null,
      actions: {
        connected: true,
        getVariable: async (uniqueid: string, name: string) => {
          this.asked.push(`${uniqueid} ${name}`);
          return this.variables[uniqueid]?.[name];
        },
      } as unknown as AmiActions,
    });
    this.companion = companion;
  }

  /** Alice and bob talk for 20 s over networks that lose nothing. */
  talk(): void {
    const { script } = this;
    const of = (uniqueid: '1' | '2') => ({ name: PHONES[uniqueid], linkedid: '1' });
    for (const uniqueid of ['1', '2'] as const) {
      script.up(uniqueid, of(uniqueid)).codecs(uniqueid, 'ulaw');
      this.#tell(uniqueid);
    }
    for (let n = 1; n <= 4; n++) {
      script.wait(5);
      for (const uniqueid of ['1', '2'] as const) {
        const ssrc = Number(uniqueid);
        script.rtcp(
          uniqueid,
          local(reportBlock(n * 250, 0, { sourceSsrc: 0xa0 + ssrc }), { senderSsrc: ssrc }),
          of(uniqueid),
        );
        script.rtcp(uniqueid, remote(reportBlock(n * 250, 0, { sourceSsrc: ssrc }), { rttMs: 20 }), of(uniqueid));
      }
    }
  }

  #tell(uniqueid: '1' | '2'): void {
    const channel = snapshot(uniqueid, { name: PHONES[uniqueid], linkedid: '1' });
    this.companion.take?.({ type: 'channel', atMs: this.script.atMs, channel });
  }

  hangUp(): void {
    for (const uniqueid of ['1', '2'] as const) this.script.hangup(uniqueid, { name: PHONES[uniqueid], linkedid: '1' });
    this.store();
  }

  /** Resolves when the history knows that the channel has ended. */
  async stored(uniqueid: string): Promise<void> {
    await this.until(async () => {
      const channel = await this.history.channel(uniqueid);
      return channel !== null && channel.endedAtMs !== null;
    });
  }

  store(): void {
    for (const change of this.script.drain()) this.history.record(change);
  }

  /** Sends a report as a phone would, and resolves with the status of the answer. */
  async publish(callId: string, line: string, identity = 'sip:bob@pbx', agent = AGENT): Promise<number> {
    const body = [
      'VQSessionReport: CallTerm',
      `CallID: ${callId}`,
      `LocalID: "Bob B." <${identity}>`,
      'LocalMetrics:',
      'Timestamps: START=2026-11-30T12:00:00Z STOP=2026-11-30T12:03:00Z',
      line,
      '',
    ].join('\r\n');
    const head = [
      `PUBLISH sip:mes@127.0.0.1:${this.port} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK${callId}${line.length};rport`,
      'From: <sip:bob@127.0.0.1>;tag=1',
      'To: <sip:mes@127.0.0.1>',
      'Call-ID: of-the-publish-itself',
      'CSeq: 1 PUBLISH',
      'Event: vq-rtcpxr',
      `User-Agent: ${agent}`,
      'Content-Type: application/vq-rtcpxr',
      `Content-Length: ${Buffer.byteLength(body)}`,
    ];
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    socket.send([...head, '', body].join('\r\n'), this.port, '127.0.0.1');
    const [answer] = (await once(socket, 'message')) as [Buffer];
    socket.close();
    return Number(answer.toString().slice(8, 11));
  }

  /** Works until it is so; fails by the test's own time. */
  async until(isSo: () => Promise<boolean> | boolean): Promise<void> {
    while (!(await isSo())) {
      this.companion.tick?.(Date.now());
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  joined(): boolean {
    return this.companion.counters?.()['joined'] === 1;
  }

  heard(uniqueid: string): ChannelRecord['phone'] | undefined {
    return this.script.board.liveChannel(uniqueid)?.phone;
  }

  async answer(uniqueid: string): Promise<Record<string, unknown>> {
    const route = this.companion.routes?.find(({ path }) => path.endsWith('/phone-reports'));
    const answer = route === undefined ? {} : await route.handle(routeRequest({}, uniqueid));
    return route?.answer.parse(answer) as Record<string, unknown>;
  }
}
