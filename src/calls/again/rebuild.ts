import type { ChannelRecord } from '../../model/record.ts';
import { type ChannelState, newChannel } from '../channels/channel-state.ts';

/**
 * A channel's state before its first report, made from its row. Where the stored state is missing or cannot be read, the channel
 * goes on from this and its stored reports.
 */
export function rebuildChannel(channel: ChannelRecord): ChannelState {
  const { uniqueid, linkedid, name, startedAtMs, streams } = channel;
  const state = newChannel({ uniqueid, linkedid, name, stateNumber: 0 }, startedAtMs, startedAtMs, false);
  state.callerNumber = channel.callerNumber;
  state.callerName = channel.callerName;
  state.connectedNumber = channel.connectedNumber;
  state.connectedName = channel.connectedName;
  state.exten = channel.exten;
  state.answeredAtMs = channel.answeredAtMs;
  state.endedAtMs = channel.endedAtMs;
  state.endReason = channel.endReason;
  state.hangupCause = channel.hangupCause;
  state.hangupCauseText = channel.hangupCauseText;
  const { hangupBy: by, hangupAtMs: atMs, hangupEndedTalk: endedTalk } = channel;
  state.hangupRequest = by === null || atMs === null ? null : { by, atMs, endedTalk: endedTalk ?? false };
  state.bridgeId = channel.bridgeId;
  state.bridgeTechnology = channel.bridgeTechnology;
  state.peerUniqueid = channel.peerUniqueid;
  state.onHold = channel.onHold;
  state.device = channel.device;
  state.site = channel.site;
  state.deviceDetails = channel.deviceDetails;
  state.lastReceivedAtMs = channel.lastReceivedAtMs;
  for (const { direction, codec } of streams) state[direction].codec = codec;
  return state;
}
