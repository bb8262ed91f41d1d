import { execFile } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LabCall } from '../lab/call.ts';
import { waitForCdrRow } from '../lab/cdr-rows.ts';
import { type Lab, startLab } from '../lab/lab.ts';
import { labObstacle } from '../lab/obstacle.ts';
import { makeRunDirectory, REPOSITORY } from '../lab/paths.ts';
import { SidecarProcess } from '../lab/sidecar-process.ts';
import { readmeBlocks, readmeCommands } from './fixtures/readme.ts';

/** What a command has to print. */
const PRINTS: Readonly<Record<string, RegExp>> = {
  "asterisk -rx 'core show channel PJSIP/alice-00000001' | grep MES": /^MES_VERDICT=\w+$/m,
  "curl -s 'http://127.0.0.1:8090/v1/calls?verdict=bad&from=-1h'": /"verdict":"bad"/,
  "curl -s 'http://127.0.0.1:8090/v1/calls?endpoint=PJSIP/alice&max_mes=3.5&limit=20'": /"endpoint":"PJSIP\/alice"/,
  "curl -s 'http://127.0.0.1:8090/v1/calls/1795176306.3'": /"fault_place":"callee-network"/,
  "curl -s 'http://127.0.0.1:8090/v1/channels/1795176306.3/intervals'": /"report_number":3,/,
  "curl -s 'http://127.0.0.1:8090/v1/endpoints?from=-7d'": /"endpoint":"PJSIP\/carrier1","calls":2,/,
  "curl -s 'http://127.0.0.1:8090/v1/endpoints?from=-30d&bucket=1d&endpoint=PJSIP/carrier1'":
    /"endpoint":"PJSIP\/carrier1","calls":2,.*"trend":\{"course":null,"earlier":\{"calls":0,/,
  "curl -s 'http://127.0.0.1:8090/v1/summary?from=-1d&bucket=1h'": /"bucket_s":3600,/,
  "curl -s 'http://127.0.0.1:8090/v1/live'": /"state":"up"|"name":"PJSIP\/alice-/,
  [`curl -s 'http://127.0.0.1:8090/v1/calls/1795176306.3' | grep -o '"fault_why":"[^"]*"\\|"why":"[^"]*"'`]:
    /^"fault_why":"The fault lies between .*PJSIP\/carrier1/m,
  'asterisk-mes score --rtt-ms 150 --jitter-ms 20 --jitter-stdev-ms 5 --lost-packets 0':
    /^MES +4\.12 of 4\.50 \(good\)/,
  'asterisk-mes score --codec g722 --loss-percent 3 --rtt-ms 150 --json': /"mos_lq":3\.1783,"mos_cq":3\.1705/,
  'asterisk-mes analyze calls.pcap': /ulaw +409 +41 \(9\.1 %\)/,
  'asterisk-mes xr decode 80cf000a037e3e82070000087492416e1700760200ea0398003d00007f7f7f10277f14142000003c00780078':
    /"blocks":\[\{"block_type":7,"ssrc":"0x7492416e"/,
  // Of a copy of its own.
  'setcap cap_net_raw,cap_net_admin=eip "$(command -v tcpdump)"': /^$/,
};

/** What a command has to write into a file. */
const WRITES: Readonly<Record<string, readonly [file: string, text: RegExp]>> = {
  "curl -s -H 'Accept: text/csv' 'http://127.0.0.1:8090/v1/calls?from=-1d' > calls.csv": [
    'calls.csv',
    /linkedid.*\r?\n.*PJSIP\/carrier/,
  ],
  "printf 'MES_AMI_SECRET=%s\\nMES_HTTP_TOKEN=%s\\n' $(openssl rand -hex 20) $(openssl rand -hex 20) > docker/.env": [
    'docker/.env',
    /^MES_AMI_SECRET=[0-9a-f]{40}\nMES_HTTP_TOKEN=[0-9a-f]{40}\n$/,
  ],
};

/** Commands that other tests run, by the words of theirs that show it. */
const RUN_ELSEWHERE: Readonly<Record<string, readonly [file: string, words: string]>> = {
  'npm ci && npm run demo': ['test/integration/demo.test.ts', 'demo.ts'],
  'npm ci && npm test': ['.ci/run', 'npm ci && npm test'],
  'npm ci && npm pack': ['test/integration/package.test.ts', "'pack'"],
  'npm install --global ./asterisk-mes-0.1.0.tgz': ['test/integration/package.test.ts', "'install'"],
  'asterisk-mes run --config /etc/asterisk/mes.conf': ['test/lab/sidecar-process.ts', "'run', '--config'"],
  'docker build --file docker/sidecar/Dockerfile --tag asterisk-mes .': [
    'docker/compose.yaml',
    'docker/sidecar/Dockerfile',
  ],
  'docker run --detach --network host --read-only --cap-drop ALL --volume mes:/var/lib/asterisk-mes --env MES_AMI_USERNAME=mes --env MES_AMI_SECRET asterisk-mes':
    ['docker/compose.yaml', 'read_only: true'],
  'docker compose --file docker/compose.yaml up --build': ['test/integration/containers.test.ts', 'readCompose'],
  'tcpdump -i any -s 200 -w calls.pcap udp portrange 10000-20000': ['test/lab/recorders.ts', "'tcpdump'"],
};

/** The recipes as README has them; the lab's carriers are phones, which are dialled by name. */
function recipes(): string {
  const texts = readmeBlocks('ini', 'Dialplan recipes');
  expect(texts).toHaveLength(2);
  const dialled = texts.join('\n').replaceAll(/PJSIP\/\$\{EXTEN\}@/g, 'PJSIP/');
  return `exten => _9XX,1,Goto(outgoing,\${EXTEN},1)\nexten => _5XX,1,Goto(announced,\${EXTEN},1)\n\n${dialled}`;
}

describe.runIf(labObstacle() === undefined)('README', () => {
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

  test('each of its commands is run by a test', () => {
    expect(readmeCommands().toSorted()).toEqual([PRINTS, WRITES, RUN_ELSEWHERE].flatMap(Object.keys).toSorted());
    for (const [file, words] of Object.values(RUN_ELSEWHERE)) {
      expect(readFileSync(join(REPOSITORY, file), 'utf8')).toContain(words);
    }
  });

  describe('while a call is up', () => {
    let up: LabCall;
    beforeAll(async () => {
      up = await lab.call('alice', '501');
      await sleep(4000);
    });

    const run = async (command: string): Promise<string> => {
      const here = command
        .replace('http://127.0.0.1:8090', sidecar.url)
        .replace('1795176306.3', bad.linkedid)
        .replace('PJSIP/alice-00000001', up.caller.channel);
      const { stdout } = await promisify(execFile)('sh', ['-c', here], {
        cwd: directory,
        env: { ...process.env, PATH: `${join(directory, 'bin')}:${process.env['PATH']}` },
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
