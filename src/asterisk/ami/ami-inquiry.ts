import type { AmiMessage } from '../../wire/ami/ami.ts';
import type { AsteriskConfig, ConfigEntry } from '../../wire/asterisk-conf.ts';
import { AmiLink, DEFAULT_AMI_TIMING } from './ami-link.ts';
import { isDenied, logIn } from './ami-login.ts';
import type { AmiConnection } from './ami-socket.ts';
import { sleepUnlessAborted } from '../link-state.ts';

/** Questions under way at the same time. */
const AT_ONCE = 100;

/** Takes the rows of a list, which come as events. */
interface Rows {
  take: (message: AmiMessage) => void;
}

/** A short AMI session without events that asks about an installation, one question after another. */
export class AmiInquiry {
  readonly #link: AmiLink;
  readonly #rows: Rows;

  /** Connects and logs in. Throws AmiLinkError, or AmiRefusedError when Asterisk does not accept us. */
  static async open(to: AmiConnection): Promise<AmiInquiry> {
    // Nobody aborts it.
    const { signal } = new AbortController();
    const rows: Rows = { take: () => {} };
    const link = await AmiLink.open(to, DEFAULT_AMI_TIMING, signal, { onEvent: (message) => rows.take(message) });
    try {
      await logIn(link, to);
    } catch (error) {
      link.close('the login failed');
      throw error;
    }
    return new AmiInquiry(link, rows);
  }

  private constructor(link: AmiLink, rows: Rows) {
    this.#link = link;
    this.#rows = rows;
  }

  close(): void {
    this.#link.close('all was asked');
  }

  /** The value of a global variable or function; '' when it is empty or not set; null when there is no answer. */
  async variable(name: string): Promise<string | null> {
    const answer = await this.#ask('Getvar', [['Variable', name]]);
    return answer?.get('Value') ?? null;
  }

  /** The same for many, in their order. */
  async variables(names: readonly string[]): Promise<(string | null)[]> {
    const values: (string | null)[] = [];
    for (let done = 0; done < names.length; done += AT_ONCE) {
      values.push(...(await Promise.all(names.slice(done, done + AT_ONCE).map((name) => this.variable(name)))));
    }
    return values;
  }

  /** Whether actions of class `call` are allowed; null when there is no answer. Changes nothing. */
  async mayWrite(): Promise<boolean | null> {
    const answer = await this.#ask('Setvar');
    return answer === null ? null : !isDenied(answer.get('Message'));
  }

  /**
   * How far Asterisk's clock is ahead of ours, at least, in milliseconds; negative when it is behind, null when unknown. The
   * time on the way does not count as a difference. `nowMs` reads our clock.
   */
  async clockAheadMs(nowMs: () => number): Promise<number | null> {
    const beforeMs = nowMs();
    const answer = await this.#ask('Ping');
    const asteriskMs = Number(answer?.get('Timestamp') ?? Number.NaN) * 1000;
    if (!Number.isFinite(asteriskMs)) return null;
    const afterMs = nowMs();
    if (asteriskMs < beforeMs) return asteriskMs - beforeMs;
    return Math.max(0, asteriskMs - afterMs);
  }

  /** The names of devices that have a state, such as `PJSIP/alice`; null when Asterisk does not list them. */
  async devices(): Promise<string[] | null> {
    const { promise, resolve } = Promise.withResolvers<'complete'>();
    const names: string[] = [];
    this.#rows.take = (message) => {
      const name = message.get('Device');
      if (name !== undefined) names.push(name);
      if (message.event === 'DeviceStateListComplete') resolve('complete');
    };
    const answer = await this.#ask('DeviceStateList');
    if (answer?.get('Response') !== 'Success') return null;
    const tooLate = new AbortController();
    const outcome = await Promise.race([
      promise,
      this.#link.ended,
      sleepUnlessAborted(DEFAULT_AMI_TIMING.actionMs, tooLate.signal),
    ]);
    tooLate.abort();
    return outcome === 'complete' ? names : null;
  }

  /** A configuration file as Asterisk reads it; null without the right to ask (class `config` or `system`). */
  async config(file: string): Promise<AsteriskConfig | null> {
    const answer = await this.#ask('GetConfig', [['Filename', file]]);
    if (answer?.get('Response') !== 'Success') return null;
    const sections: AsteriskConfig[number][] = [];
    for (let index = 0; ; index++) {
      const number = String(index).padStart(6, '0');
      const name = answer.get(`Category-${number}`);
      if (name === undefined) return sections;
      const entries = entriesOfCategory(answer, number, file);
      sections.push({ name, file, line: null, isTemplate: false, entries });
    }
  }

  async #ask(action: string, fields: Iterable<readonly [string, string]> = []): Promise<AmiMessage | null> {
    try {
      return await this.#link.request(action, fields);
    } catch {
      // Too late, or the connection ended: the answer stays unknown.
      return null;
    }
  }
}

function entriesOfCategory(answer: AmiMessage, category: string, file: string): ConfigEntry[] {
  const entries: ConfigEntry[] = [];
  for (let index = 0; ; index++) {
    const text = answer.get(`Line-${category}-${String(index).padStart(6, '0')}`);
    if (text === undefined) return entries;
    const equals = text.indexOf('=');
    entries.push({ key: text.slice(0, equals), value: text.slice(equals + 1), text, file, line: null });
  }
}
