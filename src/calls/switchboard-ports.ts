import type { VariableWriter } from '../model/ports.ts';
import type { IntervalRecord } from '../model/record.ts';

/** What the calls use of the rest. */
export interface SwitchboardPorts {
  /** Null: nothing is written while a channel is up; the hangup handler asks for its values. */
  readonly writer: VariableWriter | null;
  /** Asked again and again while a channel has RTCP; the answer comes as a `codecs` event. */
  readonly askCodecs: (uniqueid: string) => void;
  /** Is given every report as it comes, before any state that counts it is drained. */
  readonly storeInterval: (interval: IntervalRecord) => void;
  /** Channels that may be up; 40,000 when not given. */
  readonly mostLiveChannels?: number;
}
