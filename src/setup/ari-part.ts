import { type AsteriskConfig, entriesOf, isTrue, lastEntry, sectionsOf } from '../wire/asterisk-conf.ts';

/** Variables that ride in each event of a channel, for every ARI application (`channelvars`). */
const CHANNEL_VARIABLES = ['MES', 'MES_RX', 'MES_TX', 'MES_VERDICT'];
const DEFAULT_PORT = '8088';
/** Every address of the machine: we take the one that never leaves it. */
const WILDCARDS: readonly string[] = ['0.0.0.0', '::', '[::]'];

/** Whether Asterisk's HTTP server, which ARI needs, is on. */
export function isHttpOn(http: AsteriskConfig): boolean {
  return isTrue(lastEntry(http, 'general', 'enabled')?.value ?? 'no');
}

/** Where this machine reaches ARI, by the http.conf that there is or is going to be. */
export function ariUrl(http: AsteriskConfig): string {
  const read = (key: string): string | undefined => lastEntry(http, 'general', key)?.value || undefined;
  const address = (isHttpOn(http) ? read('bindaddr') : undefined) ?? '127.0.0.1';
  const host = WILDCARDS.includes(address) ? '127.0.0.1' : address;
  const prefix = (read('prefix') ?? '').replaceAll(/^\/+|\/+$/g, '');
  const inUrl = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  return `http://${inUrl}:${read('bindport') ?? DEFAULT_PORT}${prefix === '' ? '' : `/${prefix}`}`;
}

/** ari.conf has one list of variables, and the last line counts: ours names also those that were there. */
export function withChannelVariables(text: string, ari: AsteriskConfig): string {
  const theirs = (lastEntry(ari, 'general', 'channelvars')?.value ?? '').split(',').map((name) => name.trim());
  const names = [...theirs.filter((name) => name !== '' && !CHANNEL_VARIABLES.includes(name)), ...CHANNEL_VARIABLES];
  return text.replace(/^channelvars = .*$/m, () => `channelvars = ${names.join(',')}`);
}

/** mes.conf with ARI in it; the same where it has an address of ARI's, or an empty one, already. */
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
