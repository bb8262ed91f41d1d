import type { ChannelRecord } from '../record.ts';

/** What is written to a channel: the variable, its field in the CDR, and the field of the channel that both tell. */
export const WRITTEN_FIELDS = [
  ['MES', 'mes', 'mes'],
  ['MES_RX', 'mes_rx', 'mesRx'],
  ['MES_TX', 'mes_tx', 'mesTx'],
  ['MES_PEER_RX', 'mes_peer_rx', 'mesPeerRx'],
  ['MES_PEER_TX', 'mes_peer_tx', 'mesPeerTx'],
  ['MES_CALL', 'mes_call', 'mesCall'],
  ['MES_MIN', 'mes_min', 'mesMin'],
  ['MES_VERDICT', 'mes_verdict', 'verdict'],
] as const satisfies readonly (readonly [variable: string, cdrField: string, field: keyof ChannelRecord])[];

export type CdrField = (typeof WRITTEN_FIELDS)[number][1];

export const VARIABLES: readonly string[] = WRITTEN_FIELDS.map(([variable]) => variable);
export const CDR_FIELDS: readonly CdrField[] = WRITTEN_FIELDS.map(([, field]) => field);
