import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shouldBe } from '../accuracy/should-be.ts';
import { truthOfCall } from '../accuracy/truth.ts';
import type { LabCall } from '../lab/call.ts';
import { type Lab, startLab } from '../lab/lab.ts';
import { labObstacle } from '../lab/obstacle.ts';
import { SidecarProcess } from '../lab/sidecar-process.ts';
import { type RestCall, type RestChannel, type RestInterval, streamOf } from './fixtures/rest.ts';

const LOSS_RATIO = 0.05;

describe.runIf(labObstacle() === undefined)('faults in the middle of a call', () => {
  let lab: Lab;
  let sidecar: SidecarProcess;

  beforeAll(async () => {
    const lossy = { delayMs: 10, lossRatio: LOSS_RATIO, rtcp: 'delay' } as const;
    lab = await startLab({
      release: '22',
      rtcpIntervalMs: 1000,
      phones: [{ name: 'alice', rx: lossy, tx: lossy }, { name: 'bob' }],
    });
    sidecar = await SidecarProcess.start(lab, { httpHost: lab.pbx.host, httpPort: await lab.freePort() });
  });
  afterAll(async () => {
    await sidecar?.stop();
    await lab?.stop();
  });

  const channelOf = (call: LabCall): Promise<RestChannel> =>
    sidecar.get<RestChannel>(`/v1/channels/${call.caller.uniqueid}`);
  const intervalsOf = async (call: LabCall): Promise<RestInterval[]> => {
    const { intervals } = await sidecar.get<{ intervals: RestInterval[] }>(
      `/v1/channels/${call.caller.uniqueid}/intervals`,
    );
    return intervals;
  };

  /** Each direction's report numbers are 1, 2, 3 …: none lost of those that came, none twice. */
  function expectUnbroken(intervals: RestInterval[]): void {
    for (const direction of ['rx', 'tx']) {
      const numbers = intervals
        .filter((interval) => interval.direction === direction)
        .map((interval) => interval.report_number);
      expect(numbers.length).toBeGreaterThan(3);
      expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    }
  }

  /** That alice's side has the score that the relay's losses make, by the formula written a second time. */
  async function expectScoreOfLosses(mesRx: number | null, fromMs: number): Promise<void> {
    const { rx } = await truthOfCall(lab, 'alice', fromMs, Date.now());
    expect(rx.packets).toBeGreaterThan(150);
    expect(rx.lossPercent).toBeGreaterThan(0);
    expect(rx.lossPercent).toBeLessThan(15);
    // As far off as `npm run accuracy` may be: a busy machine adds to delays.
    expect(Math.abs(Number(mesRx) - shouldBe(rx).mes)).toBeLessThan(0.2);
  }

  /** Closes the sidecar's AMI sessions as an administrator would, and waits until they are back. */
  async function kickManagers(): Promise<void> {
    const shown = await lab.pbxAction({ Action: 'Command', Command: 'manager show connected' });
    const descriptors = [
      ...Object.values(shown)
        .join('\n')
        .matchAll(/^\s*mes\s+\S+\s+\d+\s+\d+\s+(\d+)/gm),
    ].map((match) => match[1] ?? '');
    expect(descriptors).toHaveLength(2);
    for (const descriptor of descriptors)
      await lab.pbxAction({ Action: 'Command', Command: `manager kick session ${descriptor}` });
    await sleep(300);
    for (let attempt = 0; attempt < 600; attempt++) {
      const isReady = await fetch(`${sidecar.url}/readyz`).then((answer) => answer.ok);
      if (isReady) return;
      await sleep(100);
    }
    throw new Error('the sidecar did not come back to Asterisk within a minute');
  }

  test('AMI cut off and the sidecar killed: the call goes on being scored, no interval is lost or doubled', async () => {
    const fromMs = Date.now();
    const call = await lab.call('alice', 'bob');
    await sleep(4500);
    await kickManagers();
    await sleep(3500);
    const before = await intervalsOf(call);
    await sidecar.kill();
    await sleep(3000);
    await sidecar.start();
    await sleep(4500);
    await call.hangup('caller');
    await sleep(500);

    const intervals = await intervalsOf(call);
    expectUnbroken(intervals);
    expect(intervals.length).toBeGreaterThan(before.length + 5);
    // What was stored before the kill is stored still.
    expect(intervals.filter((interval) => interval.report_number <= 4)).toEqual(
      before.filter((interval) => interval.report_number <= 4),
    );
    expect(Math.max(...intervals.map((interval) => interval.covers_reports))).toBeGreaterThanOrEqual(3);

    // The packets that passed while nobody listened are counted all the same, by the next report.
    const truth = await lab.relay.truth('alice', 'rx');
    const channel = await channelOf(call);
    const rx = streamOf(channel, 'rx');
    expect(Math.abs(Number(rx.packets_lost) - truth.lost)).toBeLessThanOrEqual(6);
    expect(channel).toMatchObject({ end_reason: 'hangup' });
    await expectScoreOfLosses(channel.mes_rx, fromMs);
    const { state } = await sidecar.get<RestCall>(`/v1/calls/${call.linkedid}`);
    expect(state).toBe('ended');
  });

  test('Asterisk restarted: the call is closed as vanished with its score, and new calls are scored', async () => {
    const call = await lab.call('alice', 'bob');
    await sleep(4500);
    const before = await channelOf(call);
    await lab.pbxInstance.kill();
    await sleep(500);
    const down = await fetch(`${sidecar.url}/readyz`);
    expect(down.status).toBe(503);
    expect(await down.text()).toMatch(/Asterisk|listens/);
    await lab.pbxInstance.start();
    await lab.farmAction({ Action: 'Hangup', Channel: call.caller.farmChannel });
    let next: LabCall | undefined;
    let fromMs = 0;
    for (let attempt = 0; attempt < 300 && next === undefined; attempt++) {
      await sleep(200);
      const isReady = await fetch(`${sidecar.url}/readyz`).then((answer) => answer.ok);
      if (!isReady) continue;
      fromMs = Date.now();
      next = await lab.call('alice', 'bob');
    }
    const after = await channelOf(call);
    expect(after).toMatchObject({ end_reason: 'vanished' });
    expect(after.ended_at).not.toBeNull();
    expect(Number(after.mes)).toBeGreaterThan(1);
    expect(Math.abs(Number(after.mes) - Number(before.mes))).toBeLessThan(0.5);
    expectUnbroken(await intervalsOf(call));
    await sleep(4500);
    await next?.hangup('callee');
    await sleep(500);
    const fresh = await sidecar.get<RestChannel>(`/v1/channels/${next?.caller.uniqueid}`);
    expect(fresh).toMatchObject({ end_reason: 'hangup' });
    await expectScoreOfLosses(fresh.mes_rx, fromMs);
  });
});
