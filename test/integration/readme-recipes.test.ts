import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitForCdrRow } from '../lab/cdr-rows.ts';
import { type Lab, startLab } from '../lab/lab.ts';
import { labObstacle } from '../lab/obstacle.ts';
import { REPOSITORY } from '../lab/paths.ts';
import { SidecarProcess } from '../lab/sidecar-process.ts';

const README = readFileSync(join(REPOSITORY, 'README.md'), 'utf8');

/** The recipes as README has them; the lab's carriers are phones, which are dialled by name. */
function recipes(): string {
  const [, section = ''] = /## Dialplan recipes\n(.*?)\n## /s.exec(README) ?? [];
  const texts = [...section.matchAll(/```ini\n(.*?)```/gs)].map(([, text = '']) => text);
  expect(texts).toHaveLength(2);
  const dialled = texts.join('\n').replaceAll(/PJSIP\/\$\{EXTEN\}@/g, 'PJSIP/');
  return `exten => _9XX,1,Goto(outgoing,\${EXTEN},1)\nexten => _5XX,1,Goto(announced,\${EXTEN},1)\n\n${dialled}`;
}

describe.runIf(labObstacle() === undefined)("README's dialplan recipes", () => {
  let lab: Lab;
  let sidecar: SidecarProcess;

  beforeAll(async () => {
    const lossy = { lossRatio: 0.5 };
    lab = await startLab({
      release: '22',
      rtcpIntervalMs: 1000,
      phones: [{ name: 'alice' }, { name: 'carrier1', rx: lossy, tx: lossy }, { name: 'carrier2' }],
      extra: { extensions: recipes() },
    });
    sidecar = await SidecarProcess.start(lab, { httpHost: lab.pbx.host, httpPort: await lab.freePort() });
  });
  afterAll(async () => {
    await sidecar?.stop();
    await lab?.stop();
  });

  test('flag the row of a bad call, and send the next one over the other trunk', async () => {
    const bad = await lab.call('alice', '901');
    expect(bad.callee?.phone).toBe('carrier1');
    await sleep(4000);
    await bad.hangup('callee');
    const row = await waitForCdrRow(lab, bad.caller.uniqueid);
    expect(row).toMatchObject({ userfield: 'bad audio' });
    expect(Number(row.mes_call)).toBeGreaterThanOrEqual(1);
    expect(Number(row.mes_call)).toBeLessThan(3.1);

    const good = await lab.call('alice', '901');
    expect(good.callee?.phone).toBe('carrier2');
    await sleep(3000);
    await good.hangup('caller');
    expect(await waitForCdrRow(lab, good.caller.uniqueid)).toMatchObject({ mes_verdict: 'good', userfield: '' });
  });

  test('tell the caller of a bad call that it was one', async () => {
    const bad = await lab.call('alice', '501');
    await sleep(4000);
    const announced = lab.pbxEvent(
      (event) => event['Uniqueid'] === bad.caller.uniqueid && (event['AppData'] ?? '').endsWith('?Playback(sorry)'),
    );
    await lab.farmAction({ Action: 'Hangup', Channel: bad.callee?.farmChannel ?? '' });
    expect(await announced).toMatchObject({ Context: 'announced', AppData: '1?Playback(sorry)' });
  });
});
