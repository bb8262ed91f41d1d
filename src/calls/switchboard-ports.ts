import type { VariableWriter } from '../model/ports.ts';
import type { IntervalRecord } from '../model/record.ts';

/** What the calls use of other rooms. */
export interface SwitchboardPorts {
  /** Null: nothing is written while a channel is up. The hangup handler asks for its values. */
  readonly writer: VariableWriter | null;
  /** Called again and again while a channel has RTCP. The answer comes as a `codecs` event. */
  readonly askCodecs: (uniqueid: string) => void;
  /** Called when our first report on a channel is late. The answer comes as a `counters` event. */
  readonly askCounters: (uniqueid: string) => void;
  /** Called with each report as it comes, before `drain` returns any state that counts it. */
  readonly storeInterval: (interval: IntervalRecord) => void;
  /** Bound on the channels that may be up; absent: 40,000. */
  readonly mostLiveChannels?: number;
}
