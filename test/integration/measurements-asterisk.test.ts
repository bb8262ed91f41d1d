import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AwsClient } from 'aws4fetch';
import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Lab, startLab } from '../lab/lab.ts';
import { labIsReady } from '../lab/obstacle.ts';
import { S3Server } from '../lab/s3-server.ts';
import { SidecarProcess } from '../lab/sidecar-process.ts';

const ENTRY = join(import.meta.dirname, '../../src/asterisk-mes.js');
const CALL_MS = 8000;

interface Leg {
  readonly [field: string]: string | number | null;
}

/** Nothing is simulated here: Asterisk's calls, age's keys, Ceph's S3. */
describe.runIf(labIsReady())('measurements of a real Asterisk', () => {
  let folder = '';
  let lab: Lab;
  let s3: S3Server;
  let collector: ChildProcess;
  let sidecar: SidecarProcess;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mes-measured-'));
    execFileSync('age-keygen', ['-o', join(folder, 'key.txt')], { stdio: 'pipe' });
    const recipient = execFileSync('age-keygen', ['-y', join(folder, 'key.txt')])
      .toString()
      .trim();
    const lossy = { lossRatio: 0.1 };
    [lab, s3] = await Promise.all([
      startLab({
        release: '22',
        rtcpIntervalMs: 1000,
        phones: [{ name: 'alice', rx: lossy }, { name: 'bob' }],
      }),
      S3Server.start(),
    ]);
    const { endpoint, accessKey, secretKey } = s3;
    const client = new AwsClient({
      accessKeyId: accessKey,
      secretAccessKey: secretKey,
      service: 's3',
      region: 'us-east-1',
    });
    const made = await client.fetch(`${endpoint}/measured`, { method: 'PUT' });
    if (!made.ok) throw new Error(`no bucket: ${made.status}`);
    const settings = `[collector]\nbind = 127.0.0.1:0\nstore = s3://measured\nuploads = presigned\n[s3]\nendpoint = ${endpoint}\naccess_key = ${accessKey}\nsecret_key = ${secretKey}\n`;
    writeFileSync(join(folder, 'collect.conf'), settings);
    const words = [ENTRY, 'collect', '--config', join(folder, 'collect.conf')];
    collector = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    collector.stdout?.setEncoding('utf8').on('data', (text: string) => (said += text));
    while (!/on http:\S+/.test(said)) await sleep(100);
    sidecar = await SidecarProcess.start(lab, {
      httpHost: lab.pbx.host,
      httpPort: await lab.freePort(),
      extraConfig: `[measurements]
enabled = yes
recipient = ${recipient}
collector = ${/on (http:\S+)/.exec(said)?.[1]}
upload_to = ${endpoint}
spool = ${join(folder, 'spool')}
[network:127.0.0.0/8]
site = Musterstadt
kind = wifi
country = DE
asn = 64496
`,
    });
  });
  afterAll(async () => {
    await sidecar?.stop();
    if (collector !== undefined) {
      const ended = new Promise((resolve) => collector.once('exit', resolve));
      collector.kill('SIGTERM');
      await ended;
    }
    await Promise.all([lab?.stop(), s3?.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  /** A command of the recipient's. */
  function mes(...words: string[]): string {
    const { endpoint, accessKey, secretKey } = s3;
    const access = { MES_S3_ENDPOINT: endpoint, MES_S3_ACCESS_KEY: accessKey, MES_S3_SECRET_KEY: secretKey };
    return execFileSync(process.execPath, [ENTRY, ...words], { env: { ...process.env, ...access } }).toString();
  }

  test('go from a call over the spool and S3 into a study, and name nobody', async () => {
    const call = await lab.call('alice', 'bob');
    const { caller, callee, linkedid } = call;
    await sleep(CALL_MS);
    await call.hangup('caller');
    const sent = async (): Promise<number | undefined> =>
      (await sidecar.get<{ counters: Record<string, number> }>('/healthz')).counters['measurements_sent'];
    await expect.poll(sent, { timeout: 90_000 }).toBe(2);
    expect(readdirSync(join(folder, 'spool')).filter((name) => /\.(age|live)$/.test(name))).toEqual([]);

    const study = join(folder, 'study.sqlite');
    const opened = mes('open', '--identity', join(folder, 'key.txt'), '--database', study, 's3://measured', '--json');
    expect(JSON.parse(opened)).toMatchObject({ loaded: 2, skipped: [], cut: [] });
    const database = new Sqlite(study, { readonly: true });
    const legs = database.prepare('SELECT * FROM legs').all() as Leg[];
    const streams = database
      .prepare('SELECT call, direction, loss_percent, reports FROM streams JOIN legs USING (file_id)')
      .all() as Leg[];
    const everything = ['legs', 'streams', 'course']
      .map((table) => JSON.stringify(database.prepare(`SELECT * FROM ${table}`).all()))
      .join('');
    database.close();
    expect(new Set(legs.map((leg) => leg['call'])).size).toBe(1);
    const { version } = lab.pbx;
    for (const leg of legs) {
      expect(leg).toMatchObject({
        technology: 'pjsip',
        codec: 'ulaw',
        transport: 'udp',
        network: 'wifi',
        country: 'DE',
        asn: 64_496,
        asterisk: /\d+\.\d+/.exec(version)?.[0],
        is_whole: 1,
        duration_s: 10,
      });
    }
    // Alice's INVITE names her device; bob's address is set by hand, so nothing told of his.
    const makes = legs.map((leg) => leg['device_make']);
    expect(makes).toHaveLength(2);
    expect(makes).toEqual(expect.arrayContaining(['asterisk', null]));
    expect(legs.some((leg) => leg['verdict'] === 'bad')).toBe(true);
    // The relay drops a tenth of what alice sends: 8 s have 400 packets.
    const losses = streams
      .filter((stream) => stream['direction'] === 'rx')
      .map((stream) => Number(stream['loss_percent']));
    expect(Math.max(...losses)).toBeGreaterThan(5);
    expect(Math.max(...losses)).toBeLessThan(16);
    for (const secret of [
      caller.channel,
      caller.uniqueid,
      callee?.channel,
      linkedid,
      'alice',
      'bob',
      'Musterstadt',
      '127.',
    ])
      expect(everything).not.toContain(secret);

    const result = JSON.parse(mes('study', study, '--json')) as {
      legs: number;
      dimensions: readonly { cohorts: readonly unknown[]; cohorts_left_out: number }[];
    };
    // One installation is recognisable, so nothing of it is shown.
    expect(result.legs).toBe(2);
    expect(result.dimensions.flatMap(({ cohorts }) => cohorts)).toEqual([]);
    expect(result.dimensions.some(({ cohorts_left_out: leftOut }) => leftOut > 0)).toBe(true);
  });
});
