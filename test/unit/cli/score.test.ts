import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { asteriskMes } from './command.ts';

describe('asterisk-mes score', () => {
  test('prints the worked value as one JSON document', async () => {
    const words =
      '--rtt-ms 200 --jitter-ms 30 --jitter-stdev-ms 12 --lost-packets 2 --loss-percent 3 --codec g722 --json';
    const { status, stdout, stderr } = await asteriskMes(['score', ...words.split(' ')]);
    expect(status).toBe(0);
    expect(stderr).toBe('');
    // By hand: the published formula, and the E-model for G.722, 3 %, 100 ms one way: no delay impairment yet.
    expect(JSON.parse(stdout)).toEqual({
      effective_latency_ms: 450,
      r_value: 55.2,
      mes: 2.8489,
      mes_100: 56.978,
      rtt_known: true,
      r_lq: 61.5173,
      r_cq: 61.3673,
      mos_lq: 3.1783,
      mos_cq: 3.1705,
      profile: 'documented',
    });
  });

  test('says in words what it computed', async () => {
    const { stdout } = await asteriskMes(
      'score --rtt-ms 50 --jitter-ms 10 --jitter-stdev-ms 3 --lost-packets 1'.split(' '),
    );
    expect(stdout).toMatch(/^MES +4\.31 of 4\.50 \(good\), 86\.1 of 100$/m);
    expect(stdout).toMatch(/^effective latency +80\.0 ms$/m);
  });

  test('never shows a good score for want of data', async () => {
    const { status, stdout } = await asteriskMes(['score', '--loss-percent', '30', '--json']);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ mes: null, r_value: null });
    const nothing = await asteriskMes(['score']);
    expect(nothing).toMatchObject({ status: 2, stdout: '' });
    expect(nothing.stderr).toMatch(/there is nothing to score/);
  });

  test('a codec alone shows its best, a loss in packets no E-model', async () => {
    const best = JSON.parse((await asteriskMes(['score', '--codec', 'G.729', '--json'])).stdout);
    // By hand: ie 10; r = 93.25 - 10, and 0.15 less for conversation.
    expect(best).toMatchObject({ r_lq: 83.25, r_cq: 83.1 });
    const lossy = JSON.parse((await asteriskMes('score --codec g729 --lost-packets 2 --json'.split(' '))).stdout);
    expect(lossy).toMatchObject({ r_lq: null, mos_cq: null });
    // latency 10: 93.2 - 0.25 - 2 × 2.5.
    expect(lossy.r_value).toBe(87.95);
  });

  test("takes the file's own numbers, and says what is wrong with the file", async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mes-score-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const path = join(folder, 'mes.conf');
    const user = '[ami]\nusername = mes\nsecret = s\n';
    await writeFile(
      path,
      `${user}[profile:custom]\nloss_unit = percent\nloss_factor = 4\n[codec:g729]\ndelay_ms = 25\n`,
    );
    const words = `score --config ${path} --profile custom --codec g729 --loss-percent 5 --json`.split(' ');
    const { stdout } = await asteriskMes(words);
    // latency 25, the codec's own: 93.2 - 25 / 40 - 5 × 4.
    expect(JSON.parse(stdout)).toMatchObject({ effective_latency_ms: 25, r_value: 72.575, profile: 'custom' });
    await writeFile(path, `${user}[profile:custom]\nloss_facter = 4\n`);
    const misspelt = await asteriskMes(words);
    expect(misspelt).toMatchObject({ status: 1, stdout: '' });
    expect(misspelt.stderr).toMatch(/line 5.*loss_facter.*loss_factor/);
  });

  test.each([
    [['--rtt-ms', '-1'], /--rtt-ms/],
    [['--loss-percent', '101'], /from 0 to 100/],
    [['--rtt-ms', 'abc'], /--rtt-ms/],
    [['--profile', 'best', '--rtt-ms', '1'], /documented, asterisk-22.10/],
    [['--rtt', '1'], /unknown option '--rtt'/],
  ])('%j is wrong usage', async (args, sentence) => {
    const { status, stdout, stderr } = await asteriskMes(['score', ...args]);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(sentence);
    expect(stderr).toMatch(/^asterisk-mes: [^\n]+\n$/);
  });
});
