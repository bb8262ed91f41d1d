import type { AlertWays } from '../../alerts/ways.ts';
import { ALERT_SETTINGS, alertRules, type GivenRule, override } from '../../config/alert-rules.ts';
import type { ConfSection } from '../../config/conf-file.ts';
import type { SettingReader } from '../../config/setting-reader.ts';
import { SETTINGS } from '../../config/settings-table.ts';
import { choice, listOf, matching } from '../../config/value-types.ts';
import { FLEET_ALERT_GROUPINGS, FLEET_ALERT_SUBJECTS, type FleetAlertRule } from '../../model/alert.ts';

const { digest: _, ...WAYS } = SETTINGS.alerts;

/** Keys of `[alert:NAME]` in fleet.conf: those of one PBX, and whose alerts these are. */
const RULE_KEYS = {
  ...ALERT_SETTINGS,
  what: override(choice(...FLEET_ALERT_SUBJECTS), 'what the rule looks at; needed in a rule of your own'),
  by: override(choice(...FLEET_ALERT_GROUPINGS), 'who is judged by itself; pbx unless given'),
  pbx: override(
    listOf(matching('a PBX', /^[\w.-]{1,64}\*?$|^\*$/), "names of PBXs with commas between; * at a name's end"),
    'which PBXs it is about; without it all',
  ),
  site: override(
    listOf(matching('a site', /^[\w. -]{1,64}$/), 'names of sites with commas between'),
    'where these PBXs are; without it anywhere',
  ),
} as const;

const ALERT_NAME = /^alert:([A-Za-z0-9][\w.-]{0,63})$/;

export interface FleetAlertSettings extends AlertWays {
  readonly rules: readonly FleetAlertRule[];
}

export function isAlertSection(name: string): boolean {
  return name === 'alerts' || name.startsWith('alert:');
}

/** Reads `[alerts]` and the sections `[alert:NAME]`. What is wrong is told to the reader. */
export function readFleetAlerts(reader: SettingReader, sections: readonly ConfSection[]): FleetAlertSettings {
  const given = new Map<string, GivenRule & Pick<FleetAlertRule, 'pbxs' | 'sites'>>();
  const lines = new Map<string, number>();
  for (const section of sections) {
    if (section.name === 'alerts') continue;
    const name = ALERT_NAME.exec(section.name)?.[1];
    if (name === undefined) {
      reader.refuseLine(
        section.line,
        `[${section.name}] is not allowed; name a rule with letters, digits, dots, dashes and underscores`,
      );
      continue;
    }
    const { pbx: pbxs, site: sites, ...rule } = reader.section(section.name, RULE_KEYS, section);
    given.set(name, { ...rule, pbxs, sites });
    lines.set(name, section.line);
  }
  const rules = alertRules(
    given,
    (name, problem) => reader.refuseLine(lines.get(name) ?? 0, `[alert:${name}] ${problem}`),
    { subjects: FLEET_ALERT_SUBJECTS, by: 'pbx' },
  );
  const ways = reader.section(
    'alerts',
    WAYS,
    sections.find(({ name }) => name === 'alerts'),
  );
  if (ways.smtp !== null && (ways.from === null || ways.to.length === 0))
    reader.refuse(`[alerts] smtp is set but ${ways.from === null ? 'from' : 'to'} is missing; set both in [alerts]`);
  return {
    smtp: ways.smtp,
    from: ways.from,
    to: ways.to,
    webhook: ways.webhook,
    webhookSecret: ways.webhook_secret,
    url: ways.url,
    rules: rules.map((rule) => ({ ...rule, pbxs: given.get(rule.name)?.pbxs, sites: given.get(rule.name)?.sites })),
  };
}
