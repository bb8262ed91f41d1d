import type { ChannelState } from './channels/channel-state.ts';

/** A call: all channels with one linkedid. */
export interface CallState {
  readonly linkedid: string;
  startedAtMs: number;
  endedAtMs: number | null;
  readonly channels: Set<ChannelState>;
  /** The linkedid of the call to which one of its channels moved. The other channels follow when none of them is up. */
  joinedInto: string | null;
}
