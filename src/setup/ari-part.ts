import { type AsteriskConfig, entriesOf, isTrue, lastEntry, sectionsOf } from '../wire/asterisk-conf.ts';

/** Asterisk puts these variables into every channel event of every ARI application (`channelvars`). */
const CHANNEL_VARIABLES = ['MES', 'MES_RX', 'MES_TX', 'MES_VERDICT'];
const DEFAULT_PORT = '8088';
/** Addresses that mean every address of the machine; ARI is then asked on loopback. */
const WILDCARDS: readonly string[] = ['0.0.0.0', '::', '[::]'];

/** Whether Asterisk's HTTP server, which ARI needs, is on. */
export function isHttpOn(http: AsteriskConfig): boolean {
  return isTrue(lastEntry(http, 'general', 'enabled')?.value ?? 'no');
}

/** ARI's address for this machine, by the http.conf that there is or that setup writes. */
export function ariUrl(http: AsteriskConfig): string {
  const read = (key: string): string | undefined => lastEntry(http, 'general', key)?.value || undefined;
  const address = (isHttpOn(http) ? read('bindaddr') : undefined) ?? '127.0.0.1';
  const host = WILDCARDS.includes(address) ? '127.0.0.1' : address;
  const prefix = (read('prefix') ?? '').replaceAll(/^\/+|\/+$/g, '');
  const inUrl = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  return `http://${inUrl}:${read('bindport') ?? DEFAULT_PORT}${prefix === '' ? '' : `/${prefix}`}`;
}

/**
 * ari.conf with our variables. It has one list of variables, of which the last line counts, so ours repeats those that were
 * there.
 */
export function withChannelVariables(text: string, ari: AsteriskConfig): string {
  const theirs = (lastEntry(ari, 'general', 'channelvars')?.value ?? '').split(',').map((name) => name.trim());
  const names = [...theirs.filter((name) => name !== '' && !CHANNEL_VARIABLES.includes(name)), ...CHANNEL_VARIABLES];
  return text.replace(/^channelvars = .*$/m, () => `channelvars = ${names.join(',')}`);
}

/** mes.conf with ARI's address, user and password; unchanged where it already has an address or an empty one. */
export function withAri(
  text: string,
  settings: AsteriskConfig,
  ari: { readonly url: string; readonly username: string; readonly password: string },
): string {
  if (entriesOf(settings, 'ari', 'url').length > 0) return text;
  const lines = [`url = ${ari.url}`, `username = ${ari.username}`, `password = ${ari.password}`];
  const commented = /^;url =\s*$([^]*?)^;username =\s*$\n^;password =\s*$/m;
  if (sectionsOf(settings, 'ari').length > 0 && commented.test(text)) {
    return text.replace(commented, (_, between: string) => `${lines[0]}${between}${lines[1]}\n${lines[2]}`);
  }
  return `${text}${text.endsWith('\n') ? '' : '\n'}\n[ari]\n${lines.join('\n')}\n`;
}
