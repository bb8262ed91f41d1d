import { describe, expect, test } from 'vitest';
import { wholeProgram } from '../../../src/cli/program.ts';
import { asteriskMes } from './command.ts';

const { commands } = await wholeProgram();
const names = commands.flatMap((command) =>
  command.commands.length === 0 ? [[command.name()]] : command.commands.map((inner) => [command.name(), inner.name()]),
);

describe('--help', () => {
  test.each(names.map((words) => [words.join(' '), words] as const))(
    'of %s has examples, and each default once',
    async (name, words) => {
      const { status, stdout, stderr } = await asteriskMes([...words, '--help']);
      expect([status, stderr]).toEqual([0, '']);
      expect(stdout).toMatch(/\nExamples?:\n {2}/);
      expect(stdout.slice(stdout.indexOf('\nExample'))).toContain(`asterisk-mes ${name}`);
      // A description that is wrapped goes on in the next lines, further in.
      const options = stdout.slice(0, stdout.indexOf('\nExample')).split(/\n {2}(?=-)/);
      const defaults = options.map((option) => option.match(/\(default/g)?.length ?? 0);
      expect(Math.max(...defaults)).toBeLessThanOrEqual(1);
    },
  );
});
