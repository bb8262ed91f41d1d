import type { ResumableChannel } from '../../model/ports.ts';
import type { SegmentRecord } from '../../model/record.ts';
import { catchUp } from '../channels/catch-up.ts';
import type { ChannelState } from '../channels/channel-state.ts';
import { closeCaptured } from '../directions/direction-state.ts';
import type { ScoringRules } from '../scoring-rules.ts';
import { rebuildChannel } from './rebuild.ts';
import { readResume } from './resume.ts';

/** A channel as it was after its last stored report, and the segments that were closed since its state was stored. */
export function goOnFrom(
  { channel, resume, laterIntervals }: ResumableChannel,
  rules: ScoringRules,
): { readonly state: ChannelState; readonly closed: readonly SegmentRecord[] } {
  const read = resume === null ? undefined : readResume(resume, channel.uniqueid);
  const state = read ?? rebuildChannel(channel);
  const closed = catchUp(state, laterIntervals, rules);
  closeCaptured(state.rx);
  closeCaptured(state.tx);
  return { state, closed };
}
