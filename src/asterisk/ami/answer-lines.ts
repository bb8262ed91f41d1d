/** A line of an answer: the longest value that Asterisk prints is a variable of some 4,000 characters. */
const MOST_LINE_CHARACTERS = 8192;
/** Of one message; a long answer comes as many. */
const MOST_LINES = 500;
const HEADER = /^([A-Za-z][A-Za-z0-9_-]{0,63}):[ \t]?/;
/** The package waits for an end of a command's output that an answer of ours never has. */
const OUTPUT_FOLLOWS = /^response: .*follow/i;

/**
 * Lets through of a manager's stream what the package `asterisk-manager` can take: headers of ordinary length, one message
 * after another. It takes the blanks off a header's name with an expression that is quadratic in their number, so that one
 * line of 60,000 would hold everything up for seconds.
 */
export class AnswerLines {
  #rest = '';
  /** The line that has begun is too long: nothing of it counts. */
  #isOverlong = false;
  #lines = 0;
  /** Lines that were left out; the greeting is one. */
  dropped = 0;

  /** The next text of the stream; gives what the package is to have of it. */
  take(text: string): string {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    let kept = '';
    for (const line of lines) {
      kept += this.#isOverlong ? this.#drop() : this.#keep(line.endsWith('\r') ? line.slice(0, -1) : line);
      this.#isOverlong = false;
    }
    if (this.#rest.length > MOST_LINE_CHARACTERS) {
      this.#isOverlong = true;
      this.#rest = '';
    }
    return kept;
  }

  #keep(line: string): string {
    if (line === '') {
      const isEnd = this.#lines > 0;
      this.#lines = 0;
      return isEnd ? '\r\n' : '';
    }
    const [start, name = ''] = HEADER.exec(line) ?? [];
    const isTaken = start !== undefined && line.length <= MOST_LINE_CHARACTERS && this.#lines < MOST_LINES;
    if (!isTaken || OUTPUT_FOLLOWS.test(line)) return this.#drop();
    this.#lines++;
    return `${name}: ${line.slice(start.length)}\r\n`;
  }

  #drop(): string {
    this.dropped++;
    return '';
  }
}
