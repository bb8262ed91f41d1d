import { describe, expect, test } from 'vitest';
import { wholeProgram } from '../../../src/cli/program.ts';
import { asteriskMes } from './command.ts';

const { commands } = await wholeProgram();
const groups = commands.filter((command) => command.commands.length > 0).map((command) => command.name());

describe('a command that is missing or not there', () => {
  test.each([
    [['xr'], 'a command is missing after asterisk-mes xr; give one of decode, encode; see asterisk-mes xr --help'],
    [['alerts'], 'a command is missing after asterisk-mes alerts; give test; see asterisk-mes alerts --help'],
    [
      ['measurements'],
      'a command is missing after asterisk-mes measurements; give one of show, status, reset, forget, export; see asterisk-mes measurements --help',
    ],
    [['help', 'nothing'], "unknown command 'nothing'; see asterisk-mes --help"],
    [['nothing'], "unknown command 'nothing'; see asterisk-mes --help"],
  ])('%j is said in one sentence', async (words, sentence) => {
    expect(await asteriskMes(words)).toEqual({ status: 2, stdout: '', stderr: `asterisk-mes: ${sentence}\n` });
  });

  // A gateway starts without a further word.
  test.each(groups)('%s knows no command of another name', async (group) => {
    const { status, stdout, stderr } = await asteriskMes([group, 'nothing', '2']);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toBe(`asterisk-mes: unknown command 'nothing'; see asterisk-mes ${group} --help\n`);
  });

  test('the name alone shows all commands, and with which one to begin', async () => {
    const { status, stdout, stderr } = await asteriskMes([]);
    expect([status, stdout]).toEqual([2, '']);
    for (const command of commands) expect(stderr).toMatch(new RegExp(`^  ${command.name()}\\b`, 'm'));
    expect(stderr.trimEnd().split('\n').at(-1)).toBe(
      'asterisk-mes: no command was given; begin with asterisk-mes setup',
    );
  });
});

test('a variable that is no setting is named on standard error, and nothing else changes', async () => {
  const { status, stdout, stderr } = await asteriskMes(['version', '--json'], '', { MES_HTPP_TOKEN: 'x' });
  expect(status).toBe(0);
  expect(Object.keys(JSON.parse(stdout) as object)).toContain('asterisk_mes');
  expect(stderr).toBe(
    'asterisk-mes: environment variable MES_HTPP_TOKEN is no setting, and is ignored; did you mean "MES_HTTP_TOKEN"?\n',
  );
});
