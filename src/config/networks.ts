import type { NetworkKind } from '../model/phones/device.ts';
import type { Subnet } from '../model/subnet.ts';
import type { ConfSection } from './conf-file.ts';
import type { SettingReader } from './setting-reader.ts';
import { NETWORK_SETTINGS } from './settings-table.ts';
import { SUBNETS } from './value-types.ts';

/** What a section `[network:PREFIX]` says of the devices in an IP network; null: it does not say. */
export interface NetworkSettings {
  readonly subnet: Subnet;
  readonly site: string | null;
  readonly kind: NetworkKind | null;
  readonly country: string | null;
  readonly asn: number | null;
}

/** The beginning of these sections' names. */
export const NETWORK_SECTION = 'network:';

/** Reads these sections and refuses those whose name is no network. */
export function readNetworks(reader: SettingReader, sections: readonly ConfSection[]): NetworkSettings[] {
  return sections.flatMap((section) => {
    const [subnet, ...others] = SUBNETS.parse(section.name.slice(NETWORK_SECTION.length)) ?? [];
    if (subnet === undefined || others.length > 0) {
      reader.refuseLine(section.line, `[${section.name}] is not allowed; give a network such as 192.0.2.0/24`);
      return [];
    }
    const {
      site = null,
      kind = null,
      country = null,
      asn = null,
    } = reader.section(section.name, NETWORK_SETTINGS, section);
    return [{ subnet, site, kind, country, asn }];
  });
}
