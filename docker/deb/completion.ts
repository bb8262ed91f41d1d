import type { Command } from 'commander';

/** The completion of bash: commands, their options, the choices of an option, and files for everything else. */
export function bashCompletion(program: Command): string {
  const cases = program.commands.map((command) => {
    const options = command.options.flatMap(({ long }) => long ?? []);
    const words = [...command.commands.map((child) => child.name()), ...options, '--help'];
    return `    ${command.name()}) words="${words.join(' ')}" ;;`;
  });
  const choices = program.commands.flatMap((command) =>
    command.options.flatMap(({ long, argChoices }) =>
      argChoices === undefined ? [] : [`    "${command.name()} ${long}") words="${argChoices.join(' ')}" ;;`],
    ),
  );
  return `# bash completion of asterisk-mes

_asterisk_mes() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${program.commands.map((command) => command.name()).join(' ')} --help --version"
  else
    case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
    esac
    case "\${COMP_WORDS[1]} $previous" in
${choices.join('\n')}
    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o default -F _asterisk_mes asterisk-mes
`;
}
