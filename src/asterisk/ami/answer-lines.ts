/** The longest line of an answer. The longest value that Asterisk prints is a variable of some 4,000 characters. */
const MOST_LINE_CHARACTERS = 8192;
/** Bound on the lines of one message. A long answer comes as several messages. */
const MOST_LINES = 500;
const HEADER = /^([A-Za-z][A-Za-z0-9_-]{0,63}):[ \t]?/;
const MESSAGE_END = '\r\n\r\n';
/** How Asterisk 16 to 22 answer a Setvar, around the ActionID. */
const SET_BEGIN = 'Response: Success\r\nActionID: ';
const SET_END = `\r\nMessage: Variable Set${MESSAGE_END}`;
/** The package waits for an end of a command's output that an answer of ours never has. */
const OUTPUT_FOLLOWS = /^response: .*follow/i;

/**
 * Passes on what the package `asterisk-manager` can take of a manager's stream: headers of ordinary length, one message after
 * another. The package strips the blanks from a header's name with an expression that is quadratic in their number, so that one
 * line of 60,000 would hold everything up for seconds.
 */
export class AnswerLines {
  #rest = '';
  /** The present line is too long, so none of it counts. */
  #isOverlong = false;
  #lines = 0;
  /** Lines that were left out; the greeting is one of them. */
  dropped = 0;
  readonly #onSet: (actionId: string) => void;

  /**
   * `onSet` gets each Setvar that was carried out. Four of five answers say no more than that, at hundreds a second. The package
   * would take each line apart twice, so it does not get them.
   */
  constructor(onSet: (actionId: string) => void) {
    this.#onSet = onSet;
  }

  /** Takes the next text of the stream, and returns what the package gets of it. */
  take(text: string): string {
    let kept = '';
    for (let at = 0; at < text.length;) {
      at = this.#takeSet(text, at);
      const end = text.indexOf(MESSAGE_END, at);
      const next = end < 0 ? text.length : end + MESSAGE_END.length;
      if (next > at) kept += this.#takeLines(text.slice(at, next));
      at = next;
    }
    return kept;
  }

  /** Takes the answers to Setvars that begin at `at`, and returns where something else begins. */
  #takeSet(text: string, at: number): number {
    if (this.#rest !== '' || this.#lines > 0 || this.#isOverlong) return at;
    let from = at;
    for (;;) {
      if (!text.startsWith(SET_BEGIN, from)) return from;
      const idAt = from + SET_BEGIN.length;
      const idEnd = text.indexOf('\r', idAt);
      if (idEnd < 0 || !text.startsWith(SET_END, idEnd)) return from;
      this.#onSet(text.slice(idAt, idEnd));
      from = idEnd + SET_END.length;
    }
  }

  #takeLines(text: string): string {
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
