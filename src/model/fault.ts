/** Which stretch of a two-party call is at fault. */
export const FAULT_PLACES = [
  'caller-network',
  'callee-network',
  'both-networks',
  'this-server',
  'caller-phone',
  'callee-phone',
  'none',
] as const;
export type FaultPlace = (typeof FAULT_PLACES)[number];
/** What RTCP alone can tell. */
export type NetworkPlace = Exclude<FaultPlace, 'caller-phone' | 'callee-phone'>;
