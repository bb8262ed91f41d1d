/**
 * The functions that step over headers return where the IP header behind them begins, or one of these numbers below 0 if there is
 * none. They are numbers because these functions run for every packet and must make no garbage.
 */
export const UNKNOWN_LINK = -1;
export const CUT_SHORT = -2;
export const NOT_IP = -3;
/** For what may be a tunnel and is none. */
export const NO_TUNNEL = -4;

/** The names of layers that are not read. Each layer keeps its place, because its number is permanent. */
const UNREAD_LAYERS = [
  'IPsec (ESP)',
  'IPsec (ESP in UDP)',
  'WireGuard',
  'OpenVPN',
  'L2TP version 3',
  'IP compression',
  'MACsec',
  'CAPWAP',
  'HEP',
  'DTLS',
  'compressed or encrypted PPP',
  'GRE of an unknown kind',
  'a network service header (NSH)',
  'TLS on the port of SIP',
  'too many tunnels in each other',
] as const;

export type UnreadLayer = (typeof UNREAD_LAYERS)[number];

const FIRST_UNREAD = -100;

/** The number for a layer that is not read. */
export function unread(layer: UnreadLayer): number {
  return FIRST_UNREAD - UNREAD_LAYERS.indexOf(layer);
}

/** Which layer a number stands for; undefined when it stands for something else. */
export function unreadLayer(code: number): UnreadLayer | undefined {
  return UNREAD_LAYERS[FIRST_UNREAD - code];
}
