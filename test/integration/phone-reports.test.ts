import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Lab, startLab } from '../lab/lab.ts';
import { labObstacle } from '../lab/obstacle.ts';
import { makeRunDirectory } from '../lab/paths.ts';
import { SidecarProcess } from '../lab/sidecar-process.ts';
import type { SoftCall } from '../lab/soft-phones.ts';
import { type RestCall, type RestChannel, streamOf } from './fixtures/rest.ts';

/** Two reports of Linphone's own, and the one at the end. */
const TALK_MS = 13_000;
/** Each way between PBX and phone. */
const DELAY_MS = 30;
const RATE = 500;
const FLOOD = 2500;
const SOON = { timeout: 30_000, interval: 200 };
/** After its end a call stays in memory for 5 s. */
const FORGOTTEN_MS = 7000;

interface PhoneReports {
  readonly sip_call_id: string | null;
  readonly phone: Readonly<Record<string, number | string | null>> | null;
  readonly reports: readonly {
    readonly kind: string;
    readonly from_phone: boolean;
    readonly joined_by: string;
    readonly user_agent: string | null;
    readonly tx: {
      readonly ssrc: string | null;
      readonly round_trip_delay_ms: number | null;
      readonly mos_cq: number | null;
    };
  }[];
}

describe.runIf(labObstacle() === undefined)("phones' own reports", () => {
  let lab: Lab;
  let sidecar: SidecarProcess;
  let call: SoftCall;
  let directory = '';

  const reportsOf = async (uniqueid: string) => sidecar.get<PhoneReports>(`/v1/channels/${uniqueid}/phone-reports`);
  const counters = async () => (await sidecar.get<{ counters: Record<string, number> }>('/healthz')).counters;
  const legs = () => [call.caller, call.callee ?? call.caller];

  beforeAll(async () => {
    const way = { rx: { delayMs: DELAY_MS }, tx: { delayMs: DELAY_MS } } as const;
    lab = await startLab({
      release: '22',
      phones: ['lin-a', 'lin-b'].map((name) => ({ name, client: 'linphone' as const, reportsItself: true, ...way })),
      rtcpIntervalMs: 2000,
    });
    directory = makeRunDirectory('sipp-reports');
    mkdirSync(directory, { recursive: true });
    const bind = `${lab.pbx.host}:${lab.plan.collectorPort}`;
    sidecar = await SidecarProcess.start(lab, {
      httpHost: lab.pbx.host,
      httpPort: await lab.freePort(),
      extraConfig: `[phone_reports]\nbind = ${bind}\npeers = 127.0.0.0/8\n[network:127.0.0.0/8]\nsite = the lab\nkind = wired\n`,
    });
    call = await lab.soft.call('lin-a', 'lin-b');
    await sleep(TALK_MS);
    await lab.soft.hangUp(call.caller);
  });
  afterAll(async () => {
    await sidecar?.stop();
    await lab?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  /** SIPp sends a report for each row: Call-ID, packets thrown away in percent, begin and end. Rejects when one is not answered by 200. */
  async function sipp(rows: readonly string[], ratePerS: number): Promise<void> {
    const [scenario, data] = [join(directory, 'publish.xml'), join(directory, 'rows.csv')];
    writeFileSync(scenario, PUBLISH);
    writeFileSync(data, `SEQUENTIAL\n${rows.join('\n')}\n`);
    const words = ['-sf', scenario, '-inf', data, '-i', '127.0.0.1', '-m', String(rows.length), '-r', String(ratePerS)];
    const options = ['-l', '5000', '-timeout', '30s', '-timeout_error', '-nostdin', '-default_behaviors', '-bye'];
    await promisify(execFile)('sipp', [`${lab.pbx.host}:${lab.plan.collectorPort}`, ...words, ...options], {
      cwd: directory,
    });
  }

  test("Linphone's are joined to both legs by Asterisk's own word for the dialog", async () => {
    for (const { uniqueid } of legs()) {
      await vi.waitFor(async () => {
        const { reports } = await reportsOf(uniqueid);
        expect(reports.map(({ kind }) => kind)).toContain('session');
      }, SOON);
      const { reports, phone: heard, sip_call_id: callId } = await reportsOf(uniqueid);
      expect(callId).toMatch(/\S{8,}/);
      expect(reports.length).toBeGreaterThanOrEqual(2);
      for (const report of reports) {
        expect(report).toMatchObject({ joined_by: 'call-id', from_phone: true, user_agent: 'Linphonec/5.1.65' });
      }
      // There and back again through the relay, and what Linphone, Asterisk and a busy machine take: it is a single sample.
      expect(Number(heard?.['round_trip_delay_ms'])).toBeGreaterThanOrEqual(2 * DELAY_MS - 5);
      expect(Number(heard?.['round_trip_delay_ms'])).toBeLessThan(2 * DELAY_MS + 400);
      expect(Number(heard?.['mos_cq'])).toBeGreaterThan(3);
      expect(heard).toMatchObject({ network_loss_percent: null, discard_percent: null });
      const channel = await sidecar.get<RestChannel>(`/v1/channels/${uniqueid}`);
      expect(reports.at(-1)?.tx.ssrc).toBe(streamOf(channel, 'tx').ssrc);
    }
    const [caller, callee] = await Promise.all(legs().map(async ({ uniqueid }) => reportsOf(uniqueid)));
    expect(caller?.sip_call_id).not.toBe(callee?.sip_call_id);
    expect(await counters()).toMatchObject({ phone_reports_unjoined: 0, phone_reports_refused: 0 });
  });

  test('the device is known on both legs: by its INVITE, and by its registration', async () => {
    for (const { uniqueid, phone } of legs()) {
      const planned = lab.plan.phones.find(({ name }) => name === phone);
      const channel = await sidecar.get<RestChannel & { device: string; site: string; device_details: unknown }>(
        `/v1/channels/${uniqueid}`,
      );
      expect(channel).toMatchObject({
        device: 'Linphonec 5.1.65',
        site: 'the lab',
        // The relay's address, behind which Linphone is at another.
        device_details: { transport: 'udp', address: planned?.phoneFront, is_behind_nat: true, network_kind: 'wired' },
      });
    }
    const found = await sidecar.get<{ calls: RestCall[] }>('/v1/calls?device=Linphonec*&site=the%20lab');
    expect(found.calls.map(({ linkedid }) => linkedid)).toEqual([call.linkedid]);
    expect(await sidecar.get<{ calls: RestCall[] }>('/v1/calls?device=Yealink*')).toMatchObject({ calls: [] });
  });

  test(`SIPp's ${RATE} a second of calls that nobody knows are all answered, kept and counted`, async () => {
    const before = await counters();
    await sipp(
      Array.from({ length: FLOOD }, (_, n) => `stranger-${n};0.4;2026-11-30T12:00:00Z;2026-11-30T12:03:00Z`),
      RATE,
    );
    await vi.waitFor(async () => {
      const after = await counters();
      const risen = (name: string) => (after[`phone_reports_${name}`] ?? 0) - (before[`phone_reports_${name}`] ?? 0);
      expect(
        Object.fromEntries(
          ['reports', 'unjoined', 'dropped', 'not_kept', 'unreadable'].map((name) => [name, risen(name)]),
        ),
      ).toEqual({
        reports: FLOOD,
        unjoined: FLOOD,
        dropped: 0,
        not_kept: 0,
        unreadable: 0,
      });
    }, SOON);
  });

  test('one that comes when the call is long over names the phone, and leaves every score as it was', async () => {
    const path = `/v1/calls/${call.linkedid}`;
    await sleep(FORGOTTEN_MS);
    const before = await sidecar.get<RestCall>(path);
    expect(before).toMatchObject({ fault_place: 'none', verdict: 'good' });
    const [, callee] = legs();
    const { sip_call_id: callId, phone } = await reportsOf(callee?.uniqueid ?? '');
    await sipp([`${callId};6.0;${phone?.['start_at']};${phone?.['stop_at']}`], 1);
    await vi.waitFor(async () => expect((await sidecar.get<RestCall>(path)).fault_place).toBe('callee-phone'), SOON);
    const after = await sidecar.get<RestCall>(path);
    expect(after.fault_why).toContain('the phone threw away 6.0 % that came too late for its jitter buffer');
    const scores = ({ mes, verdict, channels }: RestCall) => [
      mes,
      verdict,
      channels.map(({ mes: ofChannel, mes_rx: rx, mes_tx: tx, mes_min: worst }) => [ofChannel, rx, tx, worst]),
    ];
    expect(scores(after)).toEqual(scores(before));
  });
});

/** A phone that ends a call, as SIPp plays it: one PUBLISH, sent again until it is answered. */
const PUBLISH = `<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="report">
  <send retrans="500"><![CDATA[

PUBLISH sip:mes@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:214@[local_ip]>;tag=[call_number]
To: <sip:mes@[remote_ip]>
Call-ID: [call_id]
CSeq: 1 PUBLISH
Max-Forwards: 70
Event: vq-rtcpxr
User-Agent: Yealink SIP-T46S 66.86.0.15
Content-Type: application/vq-rtcpxr
Content-Length: [len]

VQSessionReport: CallTerm
CallID: [field0]
LocalID: <sip:214@[local_ip]>
RemoteID: <sip:echo@[remote_ip]>
LocalAddr: IP=127.0.0.1 PORT=12000 SSRC=0x5eed[call_number]
RemoteAddr: IP=127.0.0.2 PORT=12002 SSRC=0x5eee[call_number]
LocalMetrics:
Timestamps: START=[field2] STOP=[field3]
SessionDesc: PT=0 PD=PCMU SR=8000 FD=20 FPP=1 PPS=50 PLC=3 SSUP=off
JitterBuffer: JBA=3 JBR=2 JBN=40 JBM=80 JBX=120
PacketLoss: NLR=0.0 JDR=[field1]
BurstGapLoss: BLD=10.0 BD=400 GLD=0.5 GD=5000 GMIN=16
Delay: RTD=140 ESD=80 IAJ=6
QualityEst: RLQ=82 RCQ=80 MOSLQ=4.0 MOSCQ=3.9

]]></send>
  <recv response="200"/>
</scenario>
`;
