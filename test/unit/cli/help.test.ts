import type { Command } from 'commander';
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

  const all = commands.flatMap((command) => [command, ...command.commands]);
  const nameOf = (command: Command): string =>
    command.parent?.parent ? `${command.parent.name()} ${command.name()}` : command.name();

  test.each(all.map((command) => [nameOf(command)] as const))(
    'of %s has examples that the program takes',
    async (name) => {
      const { stdout } = await asteriskMes([...name.split(' '), '--help']);
      const examples = stdout.slice(stdout.indexOf('\nExample')).match(/asterisk-mes [^|>&\n]+/g) ?? [];
      expect(examples.length).toBeGreaterThan(0);
      for (const example of examples) {
        const words = [...example.trim().matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? '');
        const [word, inner, ...rest] = words.slice(1);
        const command = commands.find((known) => known.name() === word);
        const innerCommand = command?.commands.find((known) => known.name() === inner);
        const called = innerCommand ?? command;
        const { operands, unknown } = called?.parseOptions(innerCommand ? rest : words.slice(2)) ?? {};
        const needed = called?.registeredArguments.filter(({ required }) => required).length ?? 0;
        expect({ example, unknown, isWhole: (operands?.length ?? -1) >= needed }).toEqual({
          example,
          unknown: [],
          isWhole: true,
        });
        const missing = called?.options.filter(({ mandatory, long }) => mandatory && !words.includes(long ?? ''));
        expect({ example, missing }).toEqual({ example, missing: [] });
      }
    },
  );
});
