import { environmentName, type SettingReader, suggestion, type Environment } from './setting-reader.ts';
import { CODEC_SETTINGS, SETTINGS } from './settings-table.ts';

/** A key of `[codec:NAME]` as a variable: the name is its first group. */
export const CODEC_VARIABLE = new RegExp(
  `^MES_CODEC_([A-Z0-9_]+)_(?:${Object.keys(CODEC_SETTINGS).join('|').toUpperCase()})$`,
);

/** Sections with names of their own, which no environment variable can have. */
const FILE_ONLY = [
  ['MES_ENDPOINT_', 'endpoints are set in the file, in [endpoint:PATTERN]'],
  ['MES_ALERT_', 'rules are set in the file, in [alert:NAME]'],
  ['MES_NETWORK_', 'networks are set in the file, in [network:PREFIX]'],
] as const;

/** Refuses variables that name a section but no key of it: nobody would notice a misspelt one. */
export function checkEnvironment(reader: SettingReader, env: Environment): void {
  const known = Object.entries(SETTINGS).flatMap(([section, keys]) =>
    Object.keys(keys).map((key) => environmentName(section, key)),
  );
  const prefixes = [...Object.keys(SETTINGS), 'profile', 'codec'].map((section) => environmentName(section, ''));
  for (const name of Object.keys(env).sort()) {
    const inFile = FILE_ONLY.find(([beginning]) => name.startsWith(beginning))?.[1];
    if (inFile !== undefined) {
      reader.refuse(`environment variable ${name} is not known; ${inFile}`);
    } else if (!prefixes.some((prefix) => name.startsWith(prefix)) || known.includes(name)) {
      continue;
    } else if (!CODEC_VARIABLE.test(name)) {
      reader.refuse(`unknown environment variable ${name}${suggestion(name, known)}`);
    }
  }
}
