import { COLLECT_SETTINGS } from './collect-settings.ts';
import { SECTION_PREFIXES } from './environment.ts';
import { nearestName } from './nearest-name.ts';
import { environmentName, type Environment } from './setting-reader.ts';
import { SETTINGS } from './settings-table.ts';

const EXAMPLE = environmentName('http', 'token');

const namesOf = (sections: Readonly<Record<string, object>>): string[] =>
  Object.entries(sections).flatMap(([section, keys]) => Object.keys(keys).map((key) => environmentName(section, key)));

/**
 * One sentence for each variable that looks like a setting and names no section there is. Whoever misspelt one believes that it holds.
 * (A misspelt key of a section there is stops whoever reads the settings.)
 */
export function unknownVariables(env: Environment): string[] {
  const known = [...namesOf(SETTINGS), ...namesOf(COLLECT_SETTINGS)];
  const strangers = Object.keys(env).filter(
    (name) =>
      name.startsWith('MES_') && !known.includes(name) && !SECTION_PREFIXES.some((prefix) => name.startsWith(prefix)),
  );
  return strangers.sort().map((name) => {
    const nearest = nearestName(name, known);
    const advice =
      nearest === undefined ? `settings are named MES_SECTION_KEY, such as ${EXAMPLE}` : `did you mean "${nearest}"?`;
    return `environment variable ${name} is no setting, and is ignored; ${advice}`;
  });
}
