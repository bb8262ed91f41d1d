export const SIP_TRANSPORTS = ['udp', 'tcp', 'tls', 'ws', 'wss'] as const;
export type SipTransport = (typeof SIP_TRANSPORTS)[number];

export const NETWORK_KINDS = ['wired', 'wifi', 'mobile', 'vpn', 'carrier'] as const;
export type NetworkKind = (typeof NETWORK_KINDS)[number];

/** What a device's User-Agent says; null: it does not say. */
export interface DeviceName {
  readonly make: string | null;
  readonly model: string | null;
  readonly firmware: string | null;
}

/** What SIP tells about the device at the far end of a channel. */
export interface Device extends DeviceName {
  readonly transport: SipTransport | null;
  /** The IP address from which its signalling comes, or to which it goes. */
  readonly address: string | null;
  /** Whether the device names another address as its own than the one that we see. */
  readonly isBehindNat: boolean | null;
  /** The kind of network by the administrator's `[network:PREFIX]`. */
  readonly networkKind: NetworkKind | null;
  /**
   * By the same section: the country in two letters, and the number of the network that carries it. Missing in records of older
   * releases.
   */
  readonly country?: string | null;
  readonly asn?: number | null;
  /**
   * Both ends of its audio when it was answered, Asterisk's and the far one, as `address:port`. Missing in records of older
   * releases.
   */
  readonly localMedia?: string | null;
  readonly remoteMedia?: string | null;
}

/** Such as `Yealink SIP-T54W 96.86.0.100`; null: nothing is known. */
export function deviceText({ make, model, firmware }: DeviceName): string | null {
  const parts = [make, model, firmware].filter((part) => part !== null);
  return parts.length === 0 ? null : parts.join(' ');
}
