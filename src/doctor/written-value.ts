import { type AsteriskConfig, type ConfigEntry, isTrue, lastEntry, sectionsOf } from '../wire/asterisk-conf.ts';
import { addLines, type Change, replaceLine } from './finding.ts';
import { CONFIG_VALUES, type ConfigValueName, type DoctorFacts } from './facts.ts';

/** A setting of Asterisk; '' when it is not set. `entry` is the line that sets it, if the file could be read. */
export interface WrittenValue {
  readonly value: string;
  readonly entry: ConfigEntry | undefined;
}

/** Finds a value in Asterisk's answers or in its files; null when neither is known. */
export function writtenValue(facts: DoctorFacts, name: ConfigValueName): WrittenValue | null {
  const [file, section, key] = CONFIG_VALUES[name];
  const told = facts.values[name];
  const config = facts.files[file];
  if (told === null && config === null) return null;
  const entry = config === null ? undefined : lastEntry(config, section, key.toLowerCase());
  return { value: told ?? entry?.value ?? '', entry };
}

/** The change that sets a value: it replaces the line that sets it now, or adds a line to the section. */
export function setValue(facts: DoctorFacts, name: ConfigValueName, line: string, afterwards: string): Change {
  const [file, section] = CONFIG_VALUES[name];
  const entry = writtenValue(facts, name)?.entry;
  if (entry !== undefined) return replaceLine(entry, section, [line], afterwards);
  return addLines(file, section, sectionsOf(facts.files[file] ?? [], section)[0], [line], afterwards);
}

/**
 * The changes after which a section has each of `lines` (`key = value`): a line with another value is replaced, a line with the
 * same value stays, a missing line is added.
 */
export function sectionChanges(
  file: string,
  section: string,
  config: AsteriskConfig,
  lines: readonly string[],
  afterwards: string,
): Change[] {
  const changes: Change[] = [];
  const missing: string[] = [];
  for (const line of lines) {
    const [key = '', value = ''] = line.split(' = ');
    const entry = lastEntry(config, section, key);
    if (entry === undefined) missing.push(line);
    else if (!meansTheSame(entry.value, value)) changes.push(replaceLine(entry, section, [line], afterwards));
  }
  if (missing.length > 0) changes.push(addLines(file, section, sectionsOf(config, section)[0], missing, afterwards));
  return changes;
}

function meansTheSame(one: string, other: string): boolean {
  return one.trim().toLowerCase() === other.toLowerCase() || (isTrue(one) && isTrue(other));
}
