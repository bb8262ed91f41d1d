import type { ConfFile, ConfSection } from './conf-file.ts';
import { nearestName } from './nearest-name.ts';
import type { Setting, ValuesOf } from './settings-table.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

type Section = Readonly<Record<string, Setting<unknown>>>;

/** What only a mistake puts into a value; lists may have lines. The file's lines are checked where they are read. */
const CONTROL = /(?![\t\r\n])\p{Cc}/u;

/** How much of a refused value is shown. */
const SHOWN_CHARACTERS = 80;

/** `MES_PROFILE_CUSTOM_BASE_R` for `base_r` in `[profile:custom]`. */
export function environmentName(section: string, key: string): string {
  return `MES_${section}_${key}`.replaceAll(/[^A-Za-z0-9]/g, '_').toUpperCase();
}

/** "; did you mean …?", or the known names. */
export function suggestion(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  return nearest === undefined ? `; known are ${known.join(', ')}` : `; did you mean "${nearest}"?`;
}

function shown(value: string): string {
  return JSON.stringify(value.length > SHOWN_CHARACTERS ? `${value.slice(0, SHOWN_CHARACTERS)}…` : value);
}

/** Reads values from file and environment by the table, and collects all problems. */
export class SettingReader {
  readonly problems: { line: number; sentence: string }[];
  readonly #fileName: string;
  readonly #env: Environment;

  constructor(file: ConfFile, fileName: string, env: Environment) {
    this.#fileName = fileName;
    this.#env = env;
    this.problems = [];
    for (const { line, sentence } of file.problems) this.refuseLine(line, sentence);
  }

  refuseLine(line: number, sentence: string): void {
    this.problems.push({ line, sentence: `${this.#fileName} line ${line}: ${sentence}` });
  }

  /** Notes a problem that is not in the file. These problems come after the file's own. */
  refuse(sentence: string): void {
    this.problems.push({ line: Number.POSITIVE_INFINITY, sentence });
  }

  /**
   * The values of one section. A value with a problem is undefined: check `problems` before use. `mayLack`: a required value that
   * is missing is undefined, and that is no problem.
   */
  section<S extends Section>(
    name: string,
    settings: S,
    written: ConfSection | undefined,
    mayLack = false,
  ): ValuesOf<S> {
    const keys = Object.keys(settings);
    for (const entry of written?.entries ?? []) {
      if (Object.hasOwn(settings, entry.key)) continue;
      this.refuseLine(entry.line, `unknown key "${entry.key}" in [${name}]${suggestion(entry.key, keys)}`);
    }
    const values = Object.entries(settings).map(([key, setting]) => [
      key,
      this.#value(name, key, setting, written, mayLack),
    ]);
    return Object.fromEntries(values) as ValuesOf<S>;
  }

  #value(
    section: string,
    key: string,
    setting: Setting<unknown>,
    written: ConfSection | undefined,
    mayLack: boolean,
  ): unknown {
    const { type } = setting;
    const variable = this.#env[environmentName(section, key)]?.trim();
    const fromEnvironment = variable === '' && type.outlastsEmptyVariable === true ? undefined : variable;
    const entry = written?.entries.find((candidate) => candidate.key === key);
    const given = fromEnvironment ?? entry?.value;

    if (given === undefined || (given === '' && setting.defaultText === undefined)) {
      if (setting.defaultText !== undefined) return type.parse(setting.defaultText);
      if (setting.whenAbsent === 'refuse' && !mayLack) {
        this.refuse(
          `[${section}] ${key} is missing; set ${key} in [${section}] of ${this.#fileName}, or the environment variable ${environmentName(section, key)}`,
        );
      }
      return undefined;
    }

    const value = type.parse(given);
    if (value !== undefined && !CONTROL.test(given)) return value;
    if (value !== undefined) {
      this.refuse(
        `environment variable ${environmentName(section, key)} is not allowed: there is a control character in it; remove it`,
      );
      return undefined;
    }
    const refused = type.secret ? 'is not allowed' : `= ${shown(given)} is not allowed`;
    if (fromEnvironment !== undefined) {
      this.refuse(`environment variable ${environmentName(section, key)} ${refused}; give ${type.allowed}`);
    } else if (entry !== undefined) {
      this.refuseLine(entry.line, `[${section}] ${key} ${refused}; give ${type.allowed}`);
    }
    return undefined;
  }
}
