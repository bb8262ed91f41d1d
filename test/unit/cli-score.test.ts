import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

const ENTRY = join(import.meta.dirname, '../../src/asterisk-mes.js');

interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function asteriskMes(...args: string[]): Promise<Outcome> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [ENTRY, ...args]);
    return { status: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { status: code, stdout, stderr };
  }
}

describe('asterisk-mes score', () => {
  test('prints the worked value as one JSON document', async () => {
    const words =
      '--rtt-ms 200 --jitter-ms 30 --jitter-stdev-ms 12 --lost-packets 2 --loss-percent 3 --codec g722 --json';
    const { status, stdout, stderr } = await asteriskMes('score', ...words.split(' '));
    expect(status).toBe(0);
    expect(stderr).toBe('');
    // formulas.md §2's last row; the E-model by hand for G.722, 3 %, 100 ms one way: no delay impairment yet.
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
      'score',
      '--rtt-ms',
      '50',
      '--jitter-ms',
      '10',
      '--jitter-stdev-ms',
      '3',
      '--lost-packets',
      '1',
    );
    expect(stdout).toMatch(/^MES +4\.31 of 4\.50 \(good\), 86\.1 of 100$/m);
    expect(stdout).toMatch(/^effective latency +80\.0 ms$/m);
  });

  test('never shows a good score for want of data', async () => {
    const { status, stdout } = await asteriskMes('score', '--loss-percent', '30', '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ mes: null, r_value: null });
    const nothing = await asteriskMes('score');
    expect(nothing).toMatchObject({ status: 2, stdout: '' });
    expect(nothing.stderr).toMatch(/there is nothing to score/);
  });

  test.each([
    [['--rtt-ms', '-1'], /--rtt-ms/],
    [['--loss-percent', '101'], /from 0 to 100/],
    [['--rtt-ms', 'abc'], /--rtt-ms/],
    [['--profile', 'best', '--rtt-ms', '1'], /documented, asterisk-22.10/],
    [['--rtt', '1'], /unknown option '--rtt'/],
  ])('%j is wrong usage', async (args, sentence) => {
    const { status, stdout, stderr } = await asteriskMes('score', ...args);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(sentence);
  });
});
