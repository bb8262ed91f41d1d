import type { ChannelSnapshot, ExistingChannel, PbxEvent } from '../model/event.ts';
import type { Reporter } from '../model/report.ts';
import type { AmiMessage } from './ami.ts';
import { readRtcpAddresses, readRtcpReport } from './ami-rtcp.ts';
import { readChannelCodecs } from './channel-formats.ts';
import { readUnsigned } from './number-text.ts';

const MAX_CHANNEL_STATE = 100;
const MAX_HANGUP_CAUSE = 1000;
const MAX_CHANNEL_AGE_S = 1e9;
const LESS_THAN = 0x3c;
const PARENTHESIS = 0x28;
/** Asterisk's placeholders for "none", beside nothing at all. */
const NOTHING: readonly string[] = ['<unknown>', '<none>', '(null)'];

/**
 * Reads an AMI event as what it means to us.
 * Undefined when the event is of no interest (or a response); `malformed` when it is one of ours but cannot be read.
 * `atMs` is when we read it, epoch milliseconds: Asterisk prints no time unless `timestampevents` is set.
 */
export function readPbxEvent(message: AmiMessage, atMs: number): PbxEvent | undefined | 'malformed' {
  switch (message.event) {
    case 'RTCPSent':
      return readRtcp(message, atMs, 'local');
    case 'RTCPReceived':
      return readRtcp(message, atMs, 'remote');
    case 'Newchannel':
    case 'Newstate':
    case 'NewCallerid':
    case 'NewConnectedLine':
      return withChannel(message, (channel) => ({ type: 'channel', atMs, channel }));
    case 'Rename':
      return readRename(message, atMs);
    case 'Hangup':
      return readHangup(message, atMs);
    case 'BridgeEnter':
      return readBridge(message, atMs, 'bridge-enter');
    case 'BridgeLeave':
      return readBridge(message, atMs, 'bridge-leave');
    case 'Hold':
      return withChannel(message, (channel) => ({ type: 'hold', atMs, channel }));
    case 'Unhold':
      return withChannel(message, (channel) => ({ type: 'unhold', atMs, channel }));
    case 'LocalBridge':
      return readLocalBridge(message, atMs);
    default:
      return undefined;
  }
}

/** A row of the `Status` action's list; undefined when the message is none or cannot be read. */
export function readExistingChannel(message: AmiMessage): ExistingChannel | undefined {
  if (message.event !== 'Status') return undefined;
  const channel = readSnapshot(message);
  if (channel === undefined) return undefined;
  const bridgeId = textOf(message, 'BridgeID');
  const ageS = readUnsigned(message.get('Seconds'), MAX_CHANNEL_AGE_S);
  return {
    ...channel,
    ...(bridgeId === undefined ? {} : { bridgeId }),
    ...(ageS === undefined ? {} : { ageS }),
    codecs: readChannelCodecs(message),
  };
}

function readRtcp(message: AmiMessage, atMs: number, reporter: Reporter): PbxEvent | undefined | 'malformed' {
  // Without a snapshot the report belongs to no channel that we could name; its SSRC cannot be trusted either.
  if (message.get('Channel') === undefined) return undefined;
  const channel = readSnapshot(message);
  const addresses = readRtcpAddresses(message, reporter);
  const report = readRtcpReport(message, reporter);
  if (channel === undefined || report === 'malformed') return 'malformed';
  return { type: 'rtcp', atMs, channel, report, addresses };
}

function readRename(message: AmiMessage, atMs: number): PbxEvent | 'malformed' {
  const uniqueid = textOf(message, 'Uniqueid');
  const newName = textOf(message, 'Newname');
  if (uniqueid === undefined || newName === undefined) return 'malformed';
  return { type: 'rename', atMs, uniqueid, newName };
}

function readHangup(message: AmiMessage, atMs: number): PbxEvent | 'malformed' {
  const cause = readUnsigned(message.get('Cause'), MAX_HANGUP_CAUSE);
  const causeText = textOf(message, 'Cause-txt');
  return withChannel(message, (channel) => ({
    type: 'hangup',
    atMs,
    channel,
    ...(cause === undefined ? {} : { cause }),
    ...(causeText === undefined ? {} : { causeText }),
  }));
}

function readBridge(message: AmiMessage, atMs: number, type: 'bridge-enter' | 'bridge-leave'): PbxEvent | 'malformed' {
  const bridgeId = textOf(message, 'BridgeUniqueid');
  if (bridgeId === undefined) return 'malformed';
  const bridgeTechnology = textOf(message, 'BridgeTechnology') ?? 'unknown';
  return withChannel(message, (channel) => ({ type, atMs, channel, bridgeId, bridgeTechnology }));
}

function readLocalBridge(message: AmiMessage, atMs: number): PbxEvent | 'malformed' {
  const oneUniqueid = textOf(message, 'LocalOneUniqueid');
  const twoUniqueid = textOf(message, 'LocalTwoUniqueid');
  if (oneUniqueid === undefined || twoUniqueid === undefined) return 'malformed';
  return { type: 'local-bridge', atMs, oneUniqueid, twoUniqueid };
}

function withChannel(message: AmiMessage, make: (channel: ChannelSnapshot) => PbxEvent): PbxEvent | 'malformed' {
  const channel = readSnapshot(message);
  return channel === undefined ? 'malformed' : make(channel);
}

/** Reads the headers in the order in which Asterisk prints them, which is the quickest (see AmiMessage). */
function readSnapshot(message: AmiMessage): ChannelSnapshot | undefined {
  const name = textOf(message, 'Channel');
  const stateNumber = readUnsigned(message.get('ChannelState'), MAX_CHANNEL_STATE);
  const callerNumber = textOf(message, 'CallerIDNum');
  const callerName = textOf(message, 'CallerIDName');
  const connectedNumber = textOf(message, 'ConnectedLineNum');
  const connectedName = textOf(message, 'ConnectedLineName');
  const exten = textOf(message, 'Exten');
  const uniqueid = textOf(message, 'Uniqueid');
  if (uniqueid === undefined || name === undefined || stateNumber === undefined) return undefined;
  return {
    uniqueid,
    linkedid: textOf(message, 'Linkedid') ?? uniqueid,
    name,
    stateNumber,
    callerNumber,
    callerName,
    connectedNumber,
    connectedName,
    exten,
  };
}

function textOf(message: AmiMessage, header: string): string | undefined {
  const value = message.get(header);
  if (value === undefined || value === '') return undefined;
  // Few values begin like one of them, and those are compared.
  const first = value.charCodeAt(0);
  return (first === LESS_THAN || first === PARENTHESIS) && NOTHING.includes(value) ? undefined : value;
}
