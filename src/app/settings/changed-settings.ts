import { isDeepStrictEqual } from 'node:util';
import type { Settings } from '../../config/settings.ts';

/** Settings that a reload applies at once. All others need a restart. */
const WHILE_RUNNING: ReadonlySet<string> = new Set(['[agi] peers', '[agi] secret', '[http] token']);

export interface ChangedSettings {
  /** Changed settings that apply now, such as `[http] token`. */
  readonly taken: readonly string[];
  /** Changed settings that need a restart. */
  readonly waiting: readonly string[];
}

/** `keepIntervalsMs` is `keep_intervals` in the file. */
function writtenName(property: string): string {
  if (property === 'recipients') return 'recipient';
  return property.replace(/(Ms|Bytes)$/, '').replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The names of settings that differ, never their values. */
export function changedSettings(before: Settings, after: Settings): ChangedSettings {
  const changed = Object.entries(after).flatMap(([section, newer]: readonly [string, unknown]) => {
    const older: unknown = before[section as keyof Settings];
    if (isDeepStrictEqual(older, newer)) return [];
    if (!isSection(older) || !isSection(newer)) return [`[${SECTION_NAMES[section] ?? section}]`];
    return Object.keys(newer)
      .filter((property) => !isDeepStrictEqual(older[property], newer[property]))
      .map((property) => `[${SECTION_NAMES[section] ?? section}] ${writtenName(property)}`);
  });
  return {
    taken: changed.filter((name) => WHILE_RUNNING.has(name)),
    waiting: changed.filter((name) => !WHILE_RUNNING.has(name)),
  };
}

/** Sections whose name in `Settings` differs. */
const SECTION_NAMES: Readonly<Record<string, string>> = {
  phoneReports: 'phone_reports',
  customProfile: 'profile:custom',
  codecs: 'codec:NAME',
  endpoints: 'endpoint:PATTERN',
  networks: 'network:PREFIX',
};

function isSection(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Map);
}
