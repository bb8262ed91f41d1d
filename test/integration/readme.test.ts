import { execFile } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PRINTS, WRITES } from '../documents/commands.ts';
import { documentBlocks } from '../documents/documents.ts';
import type { LabCall } from '../lab/call.ts';
import { waitForCdrRow } from '../lab/cdr-rows.ts';
import { type Lab, startLab } from '../lab/lab.ts';
import { labObstacle } from '../lab/obstacle.ts';
import { makeRunDirectory, REPOSITORY } from '../lab/paths.ts';
import { SidecarProcess } from '../lab/sidecar-process.ts';

/** The recipes as the document has them; the lab's carriers are phones, which are dialled by name. */
function recipes(): string {
  const texts = documentBlocks('asterisk-conf/README.md', 'ini', 'Dialplan recipes');
  expect(texts).toHaveLength(2);
  const dialled = texts.join('\n').replaceAll(/PJSIP\/\$\{EXTEN\}@/g, 'PJSIP/');
  return `exten => _9XX,1,Goto(outgoing,\${EXTEN},1)\nexten => _5XX,1,Goto(announced,\${EXTEN},1)\n\n${dialled}`;
}

describe.runIf(labObstacle() === undefined)('the documents', () => {
  let lab: Lab;
  let sidecar: SidecarProcess;
  let bad: LabCall;
  const directory = makeRunDirectory('readme');

  beforeAll(async () => {
    const lossy = { lossRatio: 0.5 };
    lab = await startLab({
      release: '22',
      rtcpIntervalMs: 1000,
      phones: [{ name: 'alice' }, { name: 'carrier1', rx: lossy, tx: lossy }, { name: 'carrier2' }],
      extra: { extensions: recipes() },
    });
    sidecar = await SidecarProcess.start(lab, { httpHost: lab.pbx.host, httpPort: await lab.freePort() });
    // A user's commands, as they would find them on their PATH.
    mkdirSync(join(directory, 'bin'));
    mkdirSync(join(directory, 'docker'));
    copyFileSync('/usr/bin/tcpdump', join(directory, 'bin', 'tcpdump'));
    chmodSync(join(directory, 'bin', 'tcpdump'), 0o755);
    const entry = join(REPOSITORY, 'src/asterisk-mes.js');
    const inside = `nsenter --target ${lab.pbxInstance.pid} --mount --root -- asterisk -C /mnt/etc/asterisk.conf`;
    for (const [name, command] of [
      ['asterisk-mes', `'${process.execPath}' '${entry}'`],
      ['asterisk', inside],
    ] as const) {
      writeFileSync(join(directory, 'bin', name), `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 });
    }
    copyFileSync(join(REPOSITORY, 'test/golden/pcap/22-bursty.pcap'), join(directory, 'calls.pcap'));
  });
  afterAll(async () => {
    await sidecar?.stop();
    await lab?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  test('its recipes flag the row of a bad call, and send the next one over the other trunk', async () => {
    bad = await lab.call('alice', '901');
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

  describe('while a call is up', () => {
    let up: LabCall;
    beforeAll(async () => {
      up = await lab.call('alice', '501');
      await sleep(4000);
    });

    /** In place of /etc/asterisk/mes.conf. */
    const settings = (): Record<string, string> => ({
      MES_AMI_USERNAME: 'mes',
      MES_AMI_SECRET: 'unused',
      MES_HTTP_BIND: new URL(sidecar.url).host,
      MES_HISTORY_PATH: sidecar.databasePath,
    });

    const run = async (command: string): Promise<string> => {
      const here = command
        .replace('http://127.0.0.1:8090', sidecar.url)
        .replace('1795176306.3', bad.linkedid)
        .replace('PJSIP/alice-00000001', up.caller.channel);
      const { stdout } = await promisify(execFile)('sh', ['-c', here], {
        cwd: directory,
        env: { ...process.env, ...settings(), PATH: `${join(directory, 'bin')}:${process.env['PATH']}` },
      });
      return stdout;
    };

    test.each(Object.entries(PRINTS))('%s', async (command, expected) => {
      expect(await run(command)).toMatch(expected);
    });

    test.each(Object.entries(WRITES))('%s', async (command, [file, text]) => {
      expect(await run(command)).toBe('');
      expect(readFileSync(join(directory, file), 'utf8')).toMatch(text);
    });

    test('its recipes tell the caller of a bad call that it was one', async () => {
      const announced = lab.pbxEvent(
        (event) => event['Uniqueid'] === up.caller.uniqueid && (event['AppData'] ?? '').endsWith('?Playback(sorry)'),
      );
      await lab.farmAction({ Action: 'Hangup', Channel: up.callee?.farmChannel ?? '' });
      expect(await announced).toMatchObject({ Context: 'announced', AppData: '1?Playback(sorry)' });
    });
  });
});
