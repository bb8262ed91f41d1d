import type { Command, Option } from 'commander';

/** The manual page asterisk-mes(1), made of what the program says of itself (man-pages(7)). */
export function manPage(program: Command, version: string, date: string): string {
  return [
    `.TH ASTERISK\\-MES 1 "${date}" "asterisk\\-mes ${version}" "User Commands"`,
    '.SH NAME',
    'asterisk\\-mes \\- score the media of every call on an Asterisk server as it happens',
    '.SH SYNOPSIS',
    '.B asterisk\\-mes',
    '.I command',
    '[\\fIoptions\\fR]',
    '.SH DESCRIPTION',
    escaped(program.description()),
    'Each command explains itself with \\fB\\-\\-help\\fR.',
    '.SH COMMANDS',
    ...program.commands.flatMap((command) => commandPart(command, [])),
    '.SH EXIT STATUS',
    ...term('0', 'The work is done.'),
    ...term('1', 'The work failed; one sentence on the standard error stream says why and what to do.'),
    ...term('2', 'Wrong usage.'),
    '.SH FILES',
    ...term('/etc/asterisk/mes.conf', 'The settings. \\fBasterisk\\-mes setup\\fR writes them.'),
    ...term('/var/lib/asterisk\\-mes/mes.sqlite', 'The history.'),
    ...term('/usr/share/doc/asterisk\\-mes/', 'What each setting, variable and field means.'),
    '.SH ENVIRONMENT',
    ...term('MES_\\fISECTION\\fR_\\fIKEY\\fR', 'A setting; it wins over the file.'),
    '.SH SEE ALSO',
    '.BR asterisk (8)',
    '',
  ].join('\n');
}

function commandPart(command: Command, parents: readonly string[]): string[] {
  const names = [...parents, command.name()];
  const usage = `\\fB${escaped(names.join(' '))}\\fR ${escaped(command.usage().replace('[options] ', ''))}`;
  const shown = command.options.filter((option) => !option.hidden);
  return [
    `.SS "${escaped(names.join(' '))}"`,
    usage.trimEnd(),
    '.PP',
    escaped(sentence(command.description())),
    ...shown.flatMap((option) => term(`\\fB${escaped(option.flags)}\\fR`, escaped(optionText(option)))),
    ...command.commands.flatMap((child) => commandPart(child, names)),
  ];
}

function optionText({ description, defaultValue, argChoices }: Option): string {
  const choices = argChoices === undefined ? '' : ` (${argChoices.join(', ')})`;
  const usual = defaultValue === undefined || defaultValue === false ? '' : `; default ${String(defaultValue)}`;
  return sentence(`${description}${choices}${usual}`);
}

function term(name: string, text: string): string[] {
  return ['.TP', name, text];
}

function sentence(text: string): string {
  const upper = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(upper) ? upper : `${upper}.`;
}

/** Text as roff shows it: dashes are dashes, and no line begins with a control character. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(/^([.'])/gm, '\\&$1');
}
