import { parseAddressAndPort } from '../ip-address.ts';

/** The address alone, of `192.0.2.1:5060` or `192.0.2.1`; null when there is none. */
export function hostOf(text: string | undefined): string | null {
  if (text === undefined || text === '') return null;
  return withoutBrackets(parseAddressAndPort(text)?.host ?? text);
}

/** The address of `sip:alice@192.0.2.1:5060;transport=tcp`; null for a name, which is not looked up. */
export function hostOfUri(uri: string | undefined): string | null {
  const [, host] = /^<?sips?:(?:[^@>]*@)?(\[[0-9a-f:.]+\]|[\d.]+)(?=[:;>?]|$)/i.exec(uri ?? '') ?? [];
  return host === undefined ? null : withoutBrackets(host);
}

/** Reads a Via header: the transport, and the address that the sender calls its own. */
export function readVia(via: string): { readonly transport: string; readonly sentBy: string } | undefined {
  const [, transport, host] = /^SIP\s*\/\s*2\.0\s*\/\s*(\w{2,4})\s+(\[[0-9a-f:.]+\]|[^\s:;,]+)/i.exec(via) ?? [];
  if (transport === undefined || host === undefined) return undefined;
  return { transport: transport.toLowerCase(), sentBy: withoutBrackets(host) };
}

function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}
