import { ERRORS } from '../../src/model/errors/errors.ts';

/** The table of errors in `src/api/README.md`. */
export function errorsTable(): string {
  const rows = Object.entries(ERRORS).map(([code, { status, sentence, whatToDo }]) => [
    `\`${code}\``,
    status === null ? 'log' : String(status),
    sentence,
    whatToDo,
  ]);
  const head = ['code', 'where', 'what happened', 'what to do'];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
