import type { ConfSection } from './conf-file.ts';
import { CODEC_VARIABLE } from './environment.ts';
import { NETWORK_SECTION } from './networks.ts';
import { suggestion, type Environment, type SettingReader } from './setting-reader.ts';
import { NETWORK_KINDS } from '../model/phones/device.ts';
import { SETTINGS } from './settings-table.ts';

const CODEC_NAME = /^codec:([a-z0-9][a-z0-9._-]*)$/i;
const ENDPOINT_PATTERN = /^endpoint:((?:device|site):[^\s*][^*]*\*?|[^\s*]+\*?|\*)$/;
const NETWORK_PATTERN = /^network:(.*)$/;
const ALERT_NAME = /^alert:([A-Za-z0-9][\w.-]{0,63})$/;

/** The sections whose names the user chooses. */
export interface NamedSections {
  readonly codecs: ReadonlyMap<string, ConfSection | undefined>;
  readonly endpoints: ReadonlyMap<string, ConfSection>;
  readonly alerts: ReadonlyMap<string, ConfSection>;
  readonly networks: readonly ConfSection[];
}

/** Finds the sections `[codec:NAME]`, `[endpoint:PATTERN]` and `[alert:NAME]`, and refuses unknown ones. */
export function namedSections(
  reader: SettingReader,
  sections: readonly ConfSection[],
  env: Environment,
): NamedSections {
  const codecs = new Map<string, ConfSection | undefined>();
  const endpoints = new Map<string, ConfSection>();
  const alerts = new Map<string, ConfSection>();
  const networks: ConfSection[] = [];
  for (const section of sections) {
    const codec = CODEC_NAME.exec(section.name)?.[1]?.toLowerCase();
    const pattern = ENDPOINT_PATTERN.exec(section.name)?.[1];
    const alert = ALERT_NAME.exec(section.name)?.[1];
    if (codec !== undefined) {
      const earlier = codecs.get(codec);
      if (earlier === undefined) codecs.set(codec, section);
      else
        reader.refuseLine(
          section.line,
          `[${section.name}] is the same as [${earlier.name}] in line ${earlier.line}; write one of them`,
        );
    } else if (pattern !== undefined) {
      const kind = NETWORK_PATTERN.exec(pattern)?.[1];
      if (kind === undefined || NETWORK_KINDS.some((known) => known === kind)) endpoints.set(pattern, section);
      else
        reader.refuseLine(
          section.line,
          `[${section.name}] is not allowed; give a kind of network: ${NETWORK_KINDS.join(', ')}`,
        );
    } else if (alert !== undefined) {
      alerts.set(alert, section);
    } else if (section.name.startsWith('alert:')) {
      reader.refuseLine(
        section.line,
        `[${section.name}] is not allowed; name a rule with letters, digits, dots, dashes and underscores`,
      );
    } else if (section.name.startsWith('endpoint:')) {
      reader.refuseLine(
        section.line,
        `[${section.name}] is not allowed; give an endpoint such as PJSIP/alice, device:Yealink, site:Lyon or network:mobile, or its beginning and one * at its end`,
      );
    } else if (section.name.startsWith(NETWORK_SECTION)) {
      networks.push(section);
    } else if (!Object.hasOwn(SETTINGS, section.name)) {
      const known = [...Object.keys(SETTINGS), 'codec:NAME', 'endpoint:PATTERN', 'alert:NAME', 'network:PREFIX'];
      reader.refuseLine(section.line, `unknown section "${section.name}"${suggestion(section.name, known)}`);
    }
  }
  for (const name of Object.keys(env)) {
    const codec = CODEC_VARIABLE.exec(name)?.[1]?.toLowerCase();
    if (codec !== undefined && !codecs.has(codec)) codecs.set(codec, undefined);
  }
  return { codecs, endpoints, alerts, networks };
}
