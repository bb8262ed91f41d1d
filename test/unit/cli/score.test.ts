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

  // By hand. 2 % are 5 packets in 5 s: 93.2 − 60/40 − 12.5 = 79.2; informed 93.2 − 1.5 − 95 · 2 / 12; half the round trip
  // costs 35/40, a lost packet 2.
  test.each([
    ['documented', '--loss-percent 2', 79.2],
    ['documented', '--lost-packets 5', 79.2],
    ['documented-per-report', '--lost-packets 5', 79.2],
    ['informed', '--loss-percent 2', 75.8667],
    ['informed', '--lost-packets 5', 75.8667],
    ['asterisk-22.10', '--lost-packets 5', 81.7],
    ['asterisk-2026.09', '--lost-packets 5', 82.325],
    ['custom', '--loss-percent 2', 79.2],
  ])('by profile %s with %s', async (profile, loss, r) => {
    const words = `score --rtt-ms 50 --codec ulaw ${loss} --profile ${profile} --json`.split(' ');
    expect(JSON.parse((await asteriskMes(words)).stdout)).toMatchObject({ profile, r_value: r, rtt_known: true });
  });

  test('the word is for the worse of MES and MOS-CQ', async () => {
    const words = 'score --rtt-ms 0 --loss-percent 2'.split(' ');
    // R 80.45 is 4.04; with G.711's MOS-CQ 3.93 beside it, it is no longer good.
    expect((await asteriskMes(words)).stdout).toMatch(/^MES +4\.04 of 4\.50 \(good\)/m);
    const withCodec = (await asteriskMes([...words, '--codec', 'ulaw'])).stdout;
    expect(withCodec).toMatch(/^MES +4\.04 of 4\.50 \(fair\)/m);
    expect(withCodec).toMatch(/^The word "fair" is for MOS-CQ, which is lower than the MES\.$/m);
  });

  test('the word needs no reason where MOS-CQ does not change it', async () => {
    // 3.93 of MOS-CQ lowers the word; no loss does not, nor does a MES without a codec.
    for (const words of ['score --rtt-ms 0 --loss-percent 0 --codec ulaw', 'score --rtt-ms 0 --loss-percent 2']) {
      const { status, stdout } = await asteriskMes(words.split(' '));
      expect([status, stdout.includes('The word')]).toEqual([0, false]);
      expect(stdout).toMatch(/^MES .*\(good\)/m);
    }
  });

  test('never shows a good score for want of data', async () => {
    for (const profile of ['documented-per-report', 'asterisk-22.10', 'asterisk-2026.09']) {
      // Per report, a percent may be any number of packets.
      const words = ['score', '--loss-percent', '30', '--profile', profile];
      const { status, stdout } = await asteriskMes([...words, '--json']);
      expect(status).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ mes: null, r_value: null, profile });
      expect((await asteriskMes(words)).stdout).toMatch(/per report: give --lost-packets/);
    }
    const { stdout } = await asteriskMes(['score', '--loss-percent', '30', '--json']);
    // 75 packets in 5 s cost 187.5.
    expect(JSON.parse(stdout)).toMatchObject({ mes: 1, r_value: 0, mes_100: 20 });
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
      `${user}[profile:custom]\nloss_unit = percent\nloss_factor = 4\n[codec:g729]\ndelay_ms = 25\nbpl = 45\n`,
    );
    const words = `score --config ${path} --profile custom --codec g729 --loss-percent 5 --json`.split(' ');
    const { stdout } = await asteriskMes(words);
    // latency 25, the codec's own: 93.2 - 25 / 40 - 5 × 4.
    expect(JSON.parse(stdout)).toMatchObject({ effective_latency_ms: 25, r_value: 72.575, profile: 'custom' });
    // 93.25 − 10 − 85 · 5 / (5 + 45).
    expect(JSON.parse(stdout)).toMatchObject({ r_lq: 74.75 });
    await writeFile(path, `${user}[profile:custom]\nloss_facter = 4\n`);
    const misspelt = await asteriskMes(words);
    expect(misspelt).toMatchObject({ status: 1, stdout: '' });
    expect(misspelt.stderr).toMatch(/line 5.*loss_facter.*loss_factor/);
  });

  test.each([
    [['--rtt-ms', '-1'], /--rtt-ms/],
    [['--loss-percent', '101'], /from 0 to 100/],
    [['--rtt-ms', 'abc'], /--rtt-ms/],
    [['--profile', 'best', '--rtt-ms', '1'], /documented, documented-per-report, informed, asterisk-22.10/],
    [['--rtt', '1'], /unknown option '--rtt'/],
  ])('%j is wrong usage', async (args, sentence) => {
    const { status, stdout, stderr } = await asteriskMes(['score', ...args]);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(sentence);
    expect(stderr).toMatch(/^asterisk-mes: [^\n]+\n$/);
  });
});
