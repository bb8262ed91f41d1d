import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Lab, startLab } from '../lab/lab.ts';
import { labIsReady } from '../lab/obstacle.ts';
import { SidecarProcess } from '../lab/sidecar-process.ts';
import { testMailServer, type TestMailServer } from '../unit/alerts/smtp-server.ts';

interface Trunks {
  readonly trunks: readonly { readonly endpoint: string; readonly calls: number; readonly recent_mes: number | null }[];
}

/** What a dialplan does that chooses between two carriers. */
const DIALPLAN = `
exten => 700,1,Gosub(mes,s,1)
 same => n,Gosub(mes-best,s,1(carrier1,carrier2))
 same => n,Dial(PJSIP/\${MES_BEST},30,b(mes^s^1))
 same => n,Hangup()
`;
const CALL_SECONDS = 5;

/** Three bad calls of any carrier are mailed. */
const ALERTS = `[alerts]
smtp = smtp://mes:secret@127.0.0.1:PORT
from = pbx@example.com
to = team@example.com
[alert:carriers]
what = bad-calls
endpoint = PJSIP/carrier*
by = all
calls = 3
raise = 50
`;

describe.runIf(labIsReady())('routing by quality and an alert on a real Asterisk 22', () => {
  let lab: Lab;
  let mails: TestMailServer;
  let sidecar: SidecarProcess;

  beforeAll(async () => {
    lab = await startLab({
      release: '22',
      rtcpIntervalMs: 500,
      phones: [{ name: 'alice' }, { name: 'carrier1' }, { name: 'carrier2' }],
      extra: { extensions: DIALPLAN },
    });
    mails = await testMailServer();
    sidecar = await SidecarProcess.start(lab, {
      httpHost: lab.pbx.host,
      httpPort: await lab.freePort(),
      extraConfig: ALERTS.replace('PORT', String(mails.port)),
    });
  });
  afterAll(async () => {
    await sidecar.stop();
    await lab.stop();
    await mails.close();
  });

  /** Five calls at once; over which carriers they went. */
  async function carriersOf(extension: string): Promise<string[]> {
    const calls = await Promise.all(Array.from({ length: 5 }, () => lab.call('alice', extension)));
    await sleep(CALL_SECONDS * 1000);
    await Promise.all(calls.map((call) => call.hangup('caller')));
    return calls.map(({ callee }) => callee?.phone ?? 'nobody').sort();
  }

  async function recentMesOf(carrier: string, calls: number): Promise<number | null | undefined> {
    for (let tries = 0; tries < 40; tries++) {
      const { trunks } = await sidecar.get<Trunks>('/v1/trunks');
      const trunk = trunks.find(({ endpoint }) => endpoint === `PJSIP/${carrier}`);
      if (trunk !== undefined && trunk.calls >= calls) return trunk.recent_mes;
      await sleep(100);
    }
    return undefined;
  }

  const five = (carrier: string): string[] => Array.from({ length: 5 }, () => carrier);

  test('leaves a trunk that turns bad, and comes back when it is the better one again', async () => {
    await lab.relay.setProfile('carrier1', 'rx', { lossRatio: 0.3 });
    // Nothing is known: the first one named.
    expect(await carriersOf('700')).toEqual(five('carrier1'));
    expect(await recentMesOf('carrier1', 5)).toBeLessThan(3.6);
    // The first is known to be bad, and the other one is not known; the tenth question is a probe.
    expect(await carriersOf('700')).toEqual(['carrier1', ...five('carrier2').slice(1)]);
    expect(await recentMesOf('carrier2', 4)).not.toBeUndefined();

    await lab.relay.setProfile('carrier1', 'rx', {});
    await lab.relay.setProfile('carrier2', 'rx', { lossRatio: 0.3 });
    // Calls that go there for other reasons tell as well.
    await Promise.all([carriersOf('carrier1'), carriersOf('carrier2')]);
    await Promise.all([carriersOf('carrier1'), carriersOf('carrier2')]);
    const [first, second] = [await recentMesOf('carrier1', 15), await recentMesOf('carrier2', 14)];
    expect(first).toBeGreaterThan(second ?? 5);
    expect(await carriersOf('700')).toEqual(five('carrier1'));
  });

  test('mails of the bad calls, with a link that shows exactly these', async () => {
    while (mails.mails.length === 0) await sleep(100);
    const [mail] = mails.mails;
    expect(mail).toMatchObject({ isTls: true, user: 'mes', to: ['team@example.com'] });
    // The first five calls were bad, and the message was made some seconds after the third of them had ended.
    const text = mail?.text.replaceAll('=\r\n', '').replaceAll('=3D', '=') ?? '';
    expect(text).toMatch(/carriers: (?:100|[5-9]\d(?:\.\d)?) % of the calls are bad/);
    const link = /http:\S+\/s\/[\w.-]+/.exec(text)?.[0] ?? '';
    const page = await (await fetch(link)).text();
    const { alerts } = await sidecar.get<{ alerts: readonly { rule: string; linkedids: readonly string[] }[] }>(
      '/v1/alerts',
    );
    const linkedids = alerts.find(({ rule }) => rule === 'carriers')?.linkedids ?? [];
    expect(linkedids.length).toBeGreaterThanOrEqual(5);
    const links = [...page.matchAll(/href="([^"]+)"/g)].map(([, href = '']) => href);
    expect(links).toHaveLength(linkedids.length);
    const call = await (await fetch(links[0] ?? '')).text();
    expect(call).toContain(`<h1>Call ${linkedids[0]}: bad</h1>`);
    expect(call.match(/<h3>From /g)).toHaveLength(4);
    expect(call).toMatch(/<rect /);
    const wrong = await fetch(`${link.slice(0, -1)}${link.endsWith('A') ? 'B' : 'A'}`);
    expect([wrong.status, (await wrong.text()).includes('PJSIP')]).toEqual([404, false]);
    const evidence = await sidecar.get<{
      channels: readonly { directions: readonly { course: readonly unknown[] }[] }[];
    }>(`/v1/calls/${linkedids[0]}/evidence`);
    expect(evidence.channels.map(({ directions }) => directions.length)).toEqual([2, 2]);
    expect(evidence.channels[0]?.directions[0]?.course.length).toBeGreaterThan(3);
  });

  test('names the first one while the sidecar is gone, at once', async () => {
    await sidecar.shutDown();
    const startedMs = performance.now();
    const call = await lab.call('alice', '700');
    expect(performance.now() - startedMs).toBeLessThan(20_000);
    expect(call.callee?.phone).toBe('carrier1');
    await call.hangup('caller');
  });
});
