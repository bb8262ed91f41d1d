import { describe, expect, it } from 'vitest';
import { SettingsError } from '../../../src/config/settings-error.ts';
import { loadSettings } from '../../../src/config/settings.ts';

/** Made by `age-keygen`. */
const ALICE = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';
const BOB = 'age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg';

function load(lines: string) {
  const env = { MES_AMI_USERNAME: 'mes', MES_AMI_SECRET: 'x' };
  return loadSettings(`[measurements]\n${lines}`, 'mes.conf', env).measurements;
}

function problems(lines: string): readonly string[] {
  try {
    load(lines);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

describe('[measurements]', () => {
  it('takes several recipients, one consent of two, patterns of endpoints and a size', () => {
    expect(
      load(
        `enabled = yes\nrecipient = ${ALICE}, ${BOB}\ncollector = https://collect.example.org/\ninclude = ratings\nendpoints = PJSIP/carrier*, PJSIP/alice\nspool = /var/spool/m\nspool_max = 2 GB\n`,
      ),
    ).toEqual({
      enabled: true,
      recipients: [ALICE, BOB],
      collector: 'https://collect.example.org',
      uploadTo: null,
      include: ['ratings'],
      endpoints: ['PJSIP/carrier*', 'PJSIP/alice'],
      spool: '/var/spool/m',
      spoolMaxBytes: 2_000_000_000,
    });
  });

  it('refuses to gather what nobody could read, in one sentence', () => {
    expect(problems('enabled = yes\n')).toEqual([
      '[measurements] enabled = yes needs somebody who can read them; set recipient in [measurements] or MES_MEASUREMENTS_RECIPIENT to a public key of age (age1…), or set enabled = no',
    ]);
    expect(problems(`enabled = yes\nrecipient = ${ALICE}\ninclude =\n`)).toHaveLength(1);
    expect(problems('enabled = no\n')).toEqual([]);
  });

  it.each([
    ['recipient = age1short'],
    [`recipient = ${ALICE}, ${ALICE}`],
    ['recipient = AGE-SECRET-KEY-1QQPQZRRLYQZ'],
    ['include = calls, comments'],
    ['include = calls,'],
    ['endpoints = PJSIP/a*b'],
    ['spool_max = 100'],
    ['spool_max = 0 MB'],
    ['collector = ftp://collect.example.org'],
    ['collector = https://user:word@collect.example.org'],
  ])('refuses %s', (line) => {
    const [problem = '', ...others] = problems(`${line}\n`);
    expect(others).toEqual([]);
    expect(problem).toMatch(/^mes\.conf line 2: \[measurements\] \w+ .*is not allowed; give /);
  });
});
