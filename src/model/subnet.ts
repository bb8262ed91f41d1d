/** IP addresses that share their first `prefixLength` bits. */
export interface Subnet {
  readonly address: string;
  readonly family: 'ipv4' | 'ipv6';
  readonly prefixLength: number;
}
