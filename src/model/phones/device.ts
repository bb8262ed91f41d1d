export const SIP_TRANSPORTS = ['udp', 'tcp', 'tls', 'ws', 'wss'] as const;
export type SipTransport = (typeof SIP_TRANSPORTS)[number];

export const NETWORK_KINDS = ['wired', 'wifi', 'mobile', 'vpn', 'carrier'] as const;
export type NetworkKind = (typeof NETWORK_KINDS)[number];

/** Of a device's User-Agent; null: it does not say. */
export interface DeviceName {
  readonly make: string | null;
  readonly model: string | null;
  readonly firmware: string | null;
}

/** What is at the other end of a channel, as far as its SIP tells. */
export interface Device extends DeviceName {
  readonly transport: SipTransport | null;
  /** Where its signalling comes from or goes to: an IP address. */
  readonly address: string | null;
  /** It knows another address of its own than we see. */
  readonly isBehindNat: boolean | null;
  /** By the administrator's `[network:PREFIX]`. */
  readonly networkKind: NetworkKind | null;
  /** By the same section: two letters, and the number of the network that carries it. Missing where an older release stored it. */
  readonly country?: string | null;
  readonly asn?: number | null;
  /** Of its audio, Asterisk's end and the far one, `address:port`, when it was answered. Missing where an older release stored it. */
  readonly localMedia?: string | null;
  readonly remoteMedia?: string | null;
}

/** `Yealink SIP-T54W 96.86.0.100`; null when nothing is known. */
export function deviceText({ make, model, firmware }: DeviceName): string | null {
  const parts = [make, model, firmware].filter((part) => part !== null);
  return parts.length === 0 ? null : parts.join(' ');
}
