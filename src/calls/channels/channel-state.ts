import { CHANNEL_STATE_DOWN, CHANNEL_STATE_UP, LOCAL_CHANNEL_PREFIX } from '../../model/channel.ts';
import type { CapturedReport, ChannelSnapshot, RtpCounters } from '../../model/event.ts';
import type { Device } from '../../model/phones/device.ts';
import type { PhoneHearing } from '../../model/phones/phone-report.ts';
import type { EndReason } from '../../model/record.ts';
import type { QualityWord } from '../../model/score.ts';
import { DirectionState } from '../directions/direction-state.ts';
import { flatCopy } from '../../units/flat-copy.ts';

/** All channels whose counters are not known share this one. */
const NO_COUNTERS: RtpCounters = {};

/** The scores of the peer and of the call. */
export interface ScoresAround {
  readonly mesPeerRx: number | null;
  readonly mesPeerTx: number | null;
  readonly mesCall: number | null;
}

/** The scores around a channel when its final scores were written. */
export interface FinalView extends ScoresAround {
  readonly atMs: number;
}

/** A score or word is null where its direction is not known. */
export interface ChannelScores {
  readonly mesRx: number | null;
  readonly mesTx: number | null;
  /** The word of each direction alone, see `directionWord`. */
  readonly wordRx: QualityWord | null;
  readonly wordTx: QualityWord | null;
}

export const NO_SCORES: ChannelScores = { mesRx: null, mesTx: null, wordRx: null, wordTx: null };

/**
 * What was already published of a channel: variables written, scores stored and shown. Nobody needs it after a restart, so it is
 * not stored.
 */
export class Published {
  /**
   * The last values of variables and CDR fields, in the order of `written-texts.ts`: '' was written as empty, undefined is not
   * known. Every place exists from the beginning, because an array that grows takes twice the memory.
   */
  readonly variables: (string | undefined)[];
  readonly cdrFields: (string | undefined)[];
  /** The ticket of `DueWrites`, while the channel waits to be written because others' scores changed; otherwise null. */
  writeTicket: number | null = null;
  /** The far end's latest captured report on our stream; null: none was captured. */
  capturedReport: CapturedReport | null = null;
  /** The turn of `ChangeLog.takeShown` in which the channel was last listed. */
  shownTurn = -1;
  /** Whether reports have come since its scores were last stored, and since all of it was. */
  hasNewScores = false;
  hasNewReports = false;
  /** When all of it was last stored, with the state to go on from. */
  storedAtMs = Number.NEGATIVE_INFINITY;

  /** `isNew`: nobody can have written to it yet. */
  constructor(isNew: boolean) {
    const nothing = isNew ? '' : undefined;
    this.variables = [nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing];
    this.cdrFields = [...this.variables];
  }

  toJSON(): undefined {
    return undefined;
  }
}

interface FormerCompanion {
  readonly channel: ChannelState;
  readonly partedAtMs: number;
}

/** The bridges that a channel was in. Nobody needs them after a restart, so they are not stored. */
export class BridgeMemory {
  /** It has been in a bridge. Before that, a dialled channel is only ever party B. */
  wasBridged = false;
  /** When it left its last bridge; null: it is in one, or never was. */
  leftAtMs: number | null = null;
  former: FormerCompanion[] = [];

  toJSON(): undefined {
    return undefined;
  }
}

/** Who first asked for the end of a channel. */
export interface HangupRequest {
  readonly by: 'party' | 'server';
  readonly atMs: number;
  /** True: the channel was in a talk then, and no channel of the call has begun another since. */
  readonly endedTalk: boolean;
}

/** Everything known of one channel. Plain data: it is stored as it is, and scoring goes on from it after a restart. */
export interface ChannelState {
  readonly uniqueid: string;
  linkedid: string;
  name: string;
  callerNumber: string | null;
  callerName: string | null;
  connectedNumber: string | null;
  connectedName: string | null;
  exten: string | null;
  readonly startedAtMs: number;
  answeredAtMs: number | null;
  endedAtMs: number | null;
  endReason: EndReason | null;
  hangupCause: number | null;
  hangupCauseText: string | null;
  /** Who hung up first; null: no event told. */
  hangupRequest: HangupRequest | null;
  /** When it last gave a sign of life. */
  lastSeenAtMs: number;
  bridgeId: string | null;
  bridgeTechnology: string | null;
  /** It was in a native bridge. Asterisk tells so only when a member leaves, and not when the last one does. */
  wasBridgedNatively: boolean;
  /** The bridged peer. After the bridge it is the last one, until the channel goes on without it. */
  peerUniqueid: string | null;
  /** Another channel dialled it: Dial() or Queue() created it. */
  isDialled: boolean;
  readonly bridges: BridgeMemory;
  onHold: boolean;
  /** Since when reports should have come, at the latest: not before it was up, nor while it was on hold or unseen. */
  watchedSinceMs: number;
  /** The channel was up before the sidecar saw it. */
  readonly joinedLate: boolean;
  rttRefused: number;
  rtcpEvents: number;
  /** When RTCP of the far end last came; null: never. */
  lastReceivedAtMs: number | null;
  /** When Asterisk was last asked for the codecs; null before the first time. */
  codecsAskedAtMs: number | null;
  /** It was in a native bridge and hardly any of its packets passed here: direct media. */
  wentPastUs: boolean;
  readonly rx: DirectionState;
  readonly tx: DirectionState;
  counters: RtpCounters;
  sipCallId: string | null;
  device: string | null;
  site: string | null;
  deviceDetails: Device | null;
  phone: PhoneHearing | null;
  /** The scores after the last report. */
  scores: ChannelScores;
  /** Not null once the hangup handler has the final scores. They do not change any more. */
  final: FinalView | null;
  readonly published: Published;
}

export function newChannel(
  channel: ChannelSnapshot,
  startedAtMs: number,
  nowMs: number,
  joinedLate: boolean,
): ChannelState {
  const uniqueid = flatCopy(channel.uniqueid);
  const state: ChannelState = {
    uniqueid,
    linkedid: channel.linkedid === channel.uniqueid ? uniqueid : flatCopy(channel.linkedid),
    name: flatCopy(channel.name),
    callerNumber: null,
    callerName: null,
    connectedNumber: null,
    connectedName: null,
    exten: null,
    startedAtMs,
    answeredAtMs: null,
    endedAtMs: null,
    endReason: null,
    hangupCause: null,
    hangupCauseText: null,
    hangupRequest: null,
    lastSeenAtMs: nowMs,
    bridgeId: null,
    bridgeTechnology: null,
    wasBridgedNatively: false,
    peerUniqueid: null,
    isDialled: wasMadeForAnother(channel),
    bridges: new BridgeMemory(),
    onHold: false,
    watchedSinceMs: nowMs,
    joinedLate,
    rttRefused: 0,
    rtcpEvents: 0,
    lastReceivedAtMs: null,
    codecsAskedAtMs: null,
    wentPastUs: false,
    rx: new DirectionState('rx', nowMs),
    tx: new DirectionState('tx', nowMs),
    counters: NO_COUNTERS,
    sipCallId: null,
    device: null,
    site: null,
    deviceDetails: null,
    phone: null,
    scores: NO_SCORES,
    final: null,
    published: new Published(!joinedLate),
  };
  noteSnapshot(state, channel, nowMs);
  return state;
}

/**
 * A new channel that is neither ringing nor in its own call is about to be dialled, even where DialBegin events are filtered out.
 */
function wasMadeForAnother({ uniqueid, linkedid, stateNumber }: ChannelSnapshot): boolean {
  return stateNumber === CHANNEL_STATE_DOWN && linkedid !== uniqueid;
}

/** The text to keep: mostly the one that is there already. */
function kept(older: string | null, newer: string | undefined): string | null {
  return newer === undefined || newer === older ? older : flatCopy(newer);
}

/**
 * Takes what an event says of its channel, except the linkedid, which moves it between calls. Returns whether anything that is
 * shown has changed.
 */
export function noteSnapshot(state: ChannelState, channel: ChannelSnapshot, nowMs: number): boolean {
  state.lastSeenAtMs = nowMs;
  const callerNumber = kept(state.callerNumber, channel.callerNumber);
  const callerName = kept(state.callerName, channel.callerName);
  const connectedNumber = kept(state.connectedNumber, channel.connectedNumber);
  const connectedName = kept(state.connectedName, channel.connectedName);
  const exten = state.exten ?? kept(null, channel.exten);
  const answeredAtMs = state.answeredAtMs ?? (channel.stateNumber === CHANNEL_STATE_UP ? nowMs : null);
  const changed =
    state.name !== channel.name ||
    state.callerNumber !== callerNumber ||
    state.callerName !== callerName ||
    state.connectedNumber !== connectedNumber ||
    state.connectedName !== connectedName ||
    state.exten !== exten ||
    state.answeredAtMs !== answeredAtMs;
  if (state.name !== channel.name) state.name = flatCopy(channel.name);
  state.callerNumber = callerNumber;
  state.callerName = callerName;
  state.connectedNumber = connectedNumber;
  state.connectedName = connectedName;
  state.exten = exten;
  if (state.answeredAtMs === null && answeredAtMs !== null) state.watchedSinceMs = nowMs;
  state.answeredAtMs = answeredAtMs;
  return changed;
}

export function isLive(state: ChannelState): boolean {
  return state.endedAtMs === null;
}

export function isLocalChannel(state: ChannelState): boolean {
  return state.name.startsWith(LOCAL_CHANNEL_PREFIX);
}
