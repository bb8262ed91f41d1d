import { isHttpOn } from './ari-part.ts';
import type { SetupInput, SetupTarget } from './input.ts';
import { type AsteriskConfig, isFalse, lastEntry, sectionsOf } from '../wire/asterisk-conf.ts';

/** A ready file that one of Asterisk's files includes. */
export interface Part {
  readonly own: string;
  /** The file that includes it; null: none. */
  readonly host: Readonly<Record<SetupTarget, string | null>>;
  /** The file that Asterisk reads, which has or includes the host. */
  readonly root: string;
  /** Says in one sentence why the part is not needed, given the configuration without it; undefined: it is needed. */
  readonly needless: (config: AsteriskConfig, input: SetupInput) => string | undefined;
  /** The part has contexts that FreePBX calls. Those that people already have are left out of it. */
  readonly leavesOut?: true;
}

export const PARTS: readonly Part[] = [
  {
    own: 'manager_mes.conf',
    root: 'manager.conf',
    host: { vanilla: 'manager.conf', freepbx: 'manager_custom.conf' },
    needless: (config, { username }) =>
      sectionsOf(config, username).length > 0
        ? `manager.conf has a user [${username}] already; it stays as it is.`
        : undefined,
  },
  {
    own: 'extensions_mes.conf',
    root: 'extensions.conf',
    host: { vanilla: 'extensions.conf', freepbx: 'extensions_custom.conf' },
    needless: (config) =>
      sectionsOf(config, 'mes-hangup').length > 0
        ? 'The dialplan has [mes-hangup] already; it stays as it is.'
        : undefined,
  },
  {
    own: 'extensions_mes_hooks.conf',
    root: 'extensions_custom.conf',
    host: { vanilla: null, freepbx: 'extensions_custom.conf' },
    needless: () => undefined,
    leavesOut: true,
  },
  {
    own: 'extensions_mes_override.conf',
    root: 'extensions_override_freepbx.conf',
    host: { vanilla: null, freepbx: 'extensions_override_freepbx.conf' },
    needless: () => undefined,
    leavesOut: true,
  },
  {
    own: 'cdr_mes.conf',
    root: 'cdr.conf',
    host: { vanilla: 'cdr.conf', freepbx: null },
    needless: (config) =>
      isFalse(lastEntry(config, 'general', 'endbeforehexten')?.value ?? '')
        ? undefined
        : 'endbeforehexten is yes in cdr.conf, or not set, which means the same; cdr_mes.conf is not needed.',
  },
  {
    own: 'cdr_custom_mes.conf',
    root: 'cdr_custom.conf',
    host: { vanilla: 'cdr_custom.conf', freepbx: null },
    needless: (config) =>
      sectionsOf(config, 'mappings').some(({ entries }) => entries.some(({ value }) => /CDR\(mes\)/i.test(value)))
        ? 'A mapping of cdr_custom.conf has CDR(mes) already; it stays as it is.'
        : undefined,
  },
  {
    own: 'ari_mes.conf',
    root: 'ari.conf',
    host: { vanilla: 'ari.conf', freepbx: 'ari_additional_custom.conf' },
    needless: (config, { username }) =>
      sectionsOf(config, username).length > 0
        ? `ari.conf has a user [${username}] already; it stays as it is. Add channelvars = MES,MES_RX,MES_TX,MES_VERDICT to its [general] yourself.`
        : undefined,
  },
  {
    own: 'http_mes.conf',
    root: 'http.conf',
    host: { vanilla: 'http.conf', freepbx: 'http_custom.conf' },
    needless: (config) =>
      isHttpOn(config) ? "Asterisk's HTTP server is on already; http_mes.conf is not needed." : undefined,
  },
];

/** Files of ours with the secret of a user of their own. */
export const USER_FILES: readonly string[] = ['manager_mes.conf', 'ari_mes.conf'];
export const SECRET_FILES: readonly string[] = [...USER_FILES, 'extensions_mes.conf'];
