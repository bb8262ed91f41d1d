import { ALERT_SETTINGS } from '../../src/config/alert-rules.ts';
import {
  CODEC_SETTINGS,
  ENDPOINT_SETTINGS,
  NETWORK_SETTINGS,
  SETTINGS,
  type Setting,
} from '../../src/config/settings-table.ts';
import { mesProfile } from '../../src/score/profiles.ts';

/** Keys of `[profile:custom]` whose property in a profile has another name. */
const PROFILE_NAMES: Readonly<Record<string, string>> = { loss_per: 'lossSample' };

const HEAD = ['setting', 'default', 'allowed', 'meaning'];

/** The table of settings in `asterisk-conf/README.md`: a row for each key, below the name of its section. */
export function settingsTable(): string {
  const sections = Object.entries({
    ...SETTINGS,
    'codec:NAME': CODEC_SETTINGS,
    'endpoint:PATTERN': ENDPOINT_SETTINGS,
    'alert:NAME': ALERT_SETTINGS,
    'network:PREFIX': NETWORK_SETTINGS,
  });
  const rows = sections.flatMap(([section, keys]) =>
    Object.entries<Setting<unknown>>(keys).map(([key, setting]) => [
      `\`[${section}] ${key}\``,
      defaultOf(section, key, setting),
      setting.type.allowed,
      setting.doc,
    ]),
  );
  return [HEAD, HEAD.map(() => '---'), ...rows].map((cells) => `| ${cells.map(escaped).join(' | ')} |`).join('\n');
}

function defaultOf(section: string, key: string, { defaultText, whenAbsent }: Setting<unknown>): string {
  if (defaultText !== undefined) return defaultText === '' ? 'empty' : `\`${defaultText}\``;
  if (whenAbsent === 'refuse') return 'must be given';
  if (section !== 'profile:custom') return 'none';
  const name = PROFILE_NAMES[key] ?? key.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  const [, value] = Object.entries(mesProfile('documented')).find(([property]) => property === name) ?? [];
  if (value === undefined) throw new Error(`The profile has no ${name} for ${key} of [profile:custom].`);
  return `\`${String(value)}\``;
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|');
}
