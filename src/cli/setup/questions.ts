import { createInterface, type Interface } from 'node:readline/promises';
import { fitted, say } from './say.ts';
import { wrapped } from '../terminal/words.ts';

/** Somebody ended the questions: nothing has been changed. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
}

/** Asks one question at a time. With `--yes` each has the answer that is proposed, and both are printed. */
export class Questions {
  readonly #lines: Interface | null;

  constructor(isAnswered: boolean) {
    this.#lines = isAnswered ? null : createInterface({ input: process.stdin, output: process.stdout });
  }

  async yes(question: string): Promise<boolean> {
    for (;;) {
      const lines = fitted(`${question} [Y/n]`, process.stdout.columns ?? Number.POSITIVE_INFINITY);
      const last = lines.pop() ?? '';
      if (lines.length > 0) say(...lines);
      const answer = (await this.#ask(`${last} `)).toLowerCase();
      if (/^(?:|y|yes)$/.test(answer)) return true;
      if (/^(?:n|no)$/.test(answer)) return false;
      process.stdout.write('Please answer y or n.\n');
    }
  }

  /** Gives the number of the choice; the first is proposed. */
  async choice(question: string, choices: readonly string[]): Promise<number> {
    const columns = process.stdout.columns ?? Number.POSITIVE_INFINITY;
    const listed = choices
      .map((choice, index) => `  ${index + 1}  ${wrapped(choice, columns, '     ').join('\n').trimStart()}\n`)
      .join('');
    say(question);
    process.stdout.write(listed);
    for (;;) {
      const answer = await this.#ask('Number [1] ');
      const number = answer === '' ? 1 : Number(answer);
      if (Number.isInteger(number) && number >= 1 && number <= choices.length) return number;
      process.stdout.write(`Please answer with a number from 1 to ${choices.length}.\n`);
    }
  }

  close(): void {
    this.#lines?.close();
  }

  async #ask(prompt: string): Promise<string> {
    if (this.#lines === null) {
      process.stdout.write(`${prompt}\n`);
      return '';
    }
    const lines = this.#lines;
    const { promise, reject } = Promise.withResolvers<never>();
    const onEnd = (): void => reject(new NoAnswerError('no answer'));
    // Ctrl+D ends the input, Ctrl+C the questions.
    lines.once('close', onEnd);
    lines.once('SIGINT', onEnd);
    try {
      return (await Promise.race([lines.question(prompt), promise])).trim();
    } finally {
      lines.off('close', onEnd);
      lines.off('SIGINT', onEnd);
    }
  }
}
