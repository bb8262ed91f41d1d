import type { ChannelSnapshot, ExistingChannel, PbxEvent } from '../../model/event.ts';
import type { AmiMessage } from './ami.ts';
import { readRtcpEvent } from './ami-rtcp.ts';
import { known, SNAPSHOT, snapshotOf } from './ami-snapshot.ts';
import { readChannelCodecs } from './channel-formats.ts';
import { readUnsigned } from '../number-text.ts';

/** As features.conf names it: `UserEvent(MESMark)`. */
const MARK = 'MESMark';
const MAX_HANGUP_CAUSE = 1000;
const MAX_CHANNEL_AGE_S = 1e9;
const ENDPOINT = /^(?!Local\/)[A-Za-z0-9_]{1,20}\/./;
/** What Asterisk says that a dialled channel executes: Dial() or Queue() made it. */
const DIALLED = /^App(?:Dial|Queue)/;

/**
 * Reads an AMI event.
 * Undefined for a response and for an event that nobody here needs; `malformed` for a needed event that cannot be read.
 * `atMs` is the time of reading, epoch milliseconds: Asterisk prints no time unless `timestampevents` is set.
 */
export function readPbxEvent(message: AmiMessage, atMs: number): PbxEvent | undefined | 'malformed' {
  switch (message.event) {
    case 'RTCPSent':
      return readRtcpEvent(message, atMs, 'local');
    case 'RTCPReceived':
      return readRtcpEvent(message, atMs, 'remote');
    case 'Newchannel':
      return withChannel(message, (channel) => ({ type: 'channel', atMs, channel, isNew: true }));
    case 'Newstate':
    case 'NewCallerid':
    case 'NewConnectedLine':
      return withChannel(message, (channel) => ({ type: 'channel', atMs, channel }));
    case 'Rename':
      return readRename(message, atMs);
    case 'Hangup':
      return readHangup(message, atMs);
    case 'HangupRequest':
      return withChannel(message, (channel) => ({ type: 'hangup-request', atMs, channel, by: 'party' }));
    case 'SoftHangupRequest':
      return withChannel(message, (channel) => ({ type: 'hangup-request', atMs, channel, by: 'server' }));
    case 'BridgeEnter':
      return readBridge(message, atMs, 'bridge-enter');
    case 'BridgeLeave':
      return readBridge(message, atMs, 'bridge-leave');
    case 'DialBegin':
      return readDial(message, atMs);
    case 'Hold':
      return withChannel(message, (channel) => ({ type: 'hold', atMs, channel }));
    case 'Unhold':
      return withChannel(message, (channel) => ({ type: 'unhold', atMs, channel }));
    case 'DTMFBegin':
    case 'DTMFEnd':
      return readDigit(message, atMs);
    case 'UserEvent':
      if (message.get('UserEvent') !== MARK) return undefined;
      return withChannel(message, (channel) => ({ type: 'mark', atMs, channel }));
    case 'DeviceStateChange':
      return readEndpointState(message, atMs);
    case 'LocalBridge':
      return readLocalBridge(message, atMs);
    default:
      return undefined;
  }
}

/** Reads a row of the `Status` action's list; undefined for another message, or one that cannot be read. */
export function readExistingChannel(message: AmiMessage): ExistingChannel | undefined {
  if (message.event !== 'Status') return undefined;
  const channel = readSnapshot(message);
  if (channel === undefined) return undefined;
  const bridgeId = known(message.get('BridgeID'));
  const ageS = readUnsigned(message.get('Seconds'), MAX_CHANNEL_AGE_S);
  const isDialled = channel.linkedid !== channel.uniqueid && DIALLED.test(message.get('Application') ?? '');
  return {
    ...channel,
    ...(bridgeId === undefined ? {} : { bridgeId }),
    ...(ageS === undefined ? {} : { ageS }),
    ...(isDialled ? { isDialled } : {}),
    codecs: readChannelCodecs(message),
  };
}

function readRename(message: AmiMessage, atMs: number): PbxEvent | 'malformed' {
  const uniqueid = known(message.get('Uniqueid'));
  const newName = known(message.get('Newname'));
  if (uniqueid === undefined || newName === undefined) return 'malformed';
  return { type: 'rename', atMs, uniqueid, newName };
}

function readHangup(message: AmiMessage, atMs: number): PbxEvent | 'malformed' {
  const cause = readUnsigned(message.get('Cause'), MAX_HANGUP_CAUSE);
  const causeText = known(message.get('Cause-txt'));
  return withChannel(message, (channel) => ({
    type: 'hangup',
    atMs,
    channel,
    ...(cause === undefined ? {} : { cause }),
    ...(causeText === undefined ? {} : { causeText }),
  }));
}

function readBridge(message: AmiMessage, atMs: number, type: 'bridge-enter' | 'bridge-leave'): PbxEvent | 'malformed' {
  const bridgeId = known(message.get('BridgeUniqueid'));
  if (bridgeId === undefined) return 'malformed';
  const bridgeTechnology = known(message.get('BridgeTechnology')) ?? 'unknown';
  return withChannel(message, (channel) => ({ type, atMs, channel, bridgeId, bridgeTechnology }));
}

/** Originate has no channel that dials: what it makes was not dialled by another one. */
function readDial(message: AmiMessage, atMs: number): PbxEvent | undefined | 'malformed' {
  if (message.get('Channel') === undefined) return undefined;
  const dialledUniqueid = known(message.get('DestUniqueid'));
  if (dialledUniqueid === undefined) return 'malformed';
  return withChannel(message, (channel) => ({ type: 'dial', atMs, channel, dialledUniqueid }));
}

/** Which digit it is, a PIN perhaps, nobody here needs to know. */
function readDigit(message: AmiMessage, atMs: number): PbxEvent | 'malformed' {
  const direction = { Received: 'rx', Sent: 'tx' }[message.get('Direction') ?? ''];
  if (direction !== 'rx' && direction !== 'tx') return 'malformed';
  return withChannel(message, (channel) => ({ type: 'digit', atMs, channel, direction }));
}

function readLocalBridge(message: AmiMessage, atMs: number): PbxEvent | 'malformed' {
  const oneUniqueid = known(message.get('LocalOneUniqueid'));
  const twoUniqueid = known(message.get('LocalTwoUniqueid'));
  if (oneUniqueid === undefined || twoUniqueid === undefined) return 'malformed';
  return { type: 'local-bridge', atMs, oneUniqueid, twoUniqueid };
}

/** Undefined for what is no endpoint: `Queue:sales_avail`, `Custom:night`, and Local channels, which are Asterisk's own. */
function readEndpointState(message: AmiMessage, atMs: number): PbxEvent | undefined | 'malformed' {
  const endpoint = known(message.get('Device'));
  const state = known(message.get('State'));
  if (endpoint === undefined || state === undefined) return 'malformed';
  if (!ENDPOINT.test(endpoint)) return undefined;
  return { type: 'endpoint-state', atMs, endpoint, state };
}

function withChannel(message: AmiMessage, make: (channel: ChannelSnapshot) => PbxEvent): PbxEvent | 'malformed' {
  const channel = readSnapshot(message);
  return channel === undefined ? 'malformed' : make(channel);
}

function readSnapshot(message: AmiMessage): ChannelSnapshot | undefined {
  return snapshotOf(SNAPSHOT.read(message), SNAPSHOT.places);
}
