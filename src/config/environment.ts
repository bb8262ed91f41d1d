import { environmentName, type SettingReader, suggestion, type Environment } from './setting-reader.ts';
import { ALERT_SETTINGS } from './alert-rules.ts';
import { CODEC_SETTINGS, ENDPOINT_SETTINGS, NETWORK_SETTINGS, SETTINGS } from './settings-table.ts';

/** A key of `[codec:NAME]` as a variable: the name is its first group. */
export const CODEC_VARIABLE = new RegExp(
  `^MES_CODEC_([A-Z0-9_]+)_(?:${Object.keys(CODEC_SETTINGS).join('|').toUpperCase()})$`,
);

/**
 * Sections whose names the user chooses. A variable's name holds only the letters and digits of one, so the section itself must
 * be in the file.
 */
const NAMED = [
  ['MES_ENDPOINT_', ENDPOINT_SETTINGS, 'endpoints are set in the file, in [endpoint:PATTERN]'],
  ['MES_ALERT_', ALERT_SETTINGS, 'rules are set in the file, in [alert:NAME]'],
  ['MES_NETWORK_', NETWORK_SETTINGS, 'networks are set in the file, in [network:PREFIX]'],
] as const;

const OWN_PREFIXES = [...Object.keys(SETTINGS), 'profile', 'codec'].map((section) => environmentName(section, ''));

/** What a variable that means a section of mes.conf begins with. */
export const SECTION_PREFIXES: readonly string[] = [...OWN_PREFIXES, ...NAMED.map(([beginning]) => beginning)];

/**
 * Refuses variables that name a section but no key of it, because a misspelt one would change nothing in silence. `sections` are
 * those that the file has.
 */
export function checkEnvironment(reader: SettingReader, env: Environment, sections: readonly string[]): void {
  const known = [
    ...Object.entries(SETTINGS).flatMap(([section, keys]) =>
      Object.keys(keys).map((key) => environmentName(section, key)),
    ),
    ...NAMED.flatMap(([beginning, keys]) =>
      sections
        .filter((section) => environmentName(section, '').startsWith(beginning))
        .flatMap((section) => Object.keys(keys).map((key) => environmentName(section, key))),
    ),
  ];
  for (const name of Object.keys(env).sort()) {
    if (known.includes(name)) continue;
    const inFile = NAMED.find(([beginning]) => name.startsWith(beginning))?.[2];
    if (inFile !== undefined) {
      reader.refuse(
        `environment variable ${name} is not known; ${inFile}, and a variable changes a key of one that is there`,
      );
    } else if (!OWN_PREFIXES.some((prefix) => name.startsWith(prefix))) {
      continue;
    } else if (!CODEC_VARIABLE.test(name)) {
      reader.refuse(`unknown environment variable ${name}${suggestion(name, known)}`);
    }
  }
}
