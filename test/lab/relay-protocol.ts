import type { Direction } from '../../src/model/report.ts';
import type { NetworkProfile, PacketKind } from './network-profile.ts';

/** One phone's place in the relay. */
export interface RelayPhone {
  readonly name: string;
  /** Where its packets come from, and the UDP ports of its RTP. */
  readonly address: string;
  readonly ports: PortRange;
  /** The port that the PBX takes for the first of those, and so on; the same when not given. */
  readonly frontPort?: number;
  /** The address that the PBX takes for the phone. */
  readonly phoneFront: string;
  /** The address that the phone takes for the PBX. */
  readonly pbxFront: string;
  readonly rx: NetworkProfile;
  readonly tx: NetworkProfile;
}

export interface PortRange {
  readonly start: number;
  readonly count: number;
}

export interface RelayPlan {
  readonly pbxAddress: string;
  readonly pbxPorts: PortRange;
  readonly phones: readonly RelayPhone[];
  readonly seed: number;
  readonly inRealTime: boolean;
}

/** What the relay did with one packet. Times are epoch milliseconds with a fraction. */
export interface RelayedPacket {
  readonly arrivalMs: number;
  /** When it went on; null while it waits and when it never does. */
  sentMs: number | null;
  readonly outcome: 'passed' | 'lost' | 'blocked';
  /** 2 for a duplicated packet. */
  readonly copies: number;
  /** When the network model wanted it to go on; null when it does not. */
  readonly dueMs: number | null;
  /** Null in RTCP. */
  readonly sequence: number | null;
  readonly rtpTimestamp: number | null;
  readonly ssrc: number;
  /** RTP payload type, or RTCP packet type (200 SR, 201 RR). */
  readonly payloadType: number;
  /** Which RTP session: the PBX's port of it. */
  readonly pbxPort: number;
}

/** What happened to one phone's packets in one direction. */
export interface RelayTruth {
  readonly seen: number;
  readonly passed: number;
  readonly lost: number;
  readonly blocked: number;
  readonly duplicated: number;
  /** The latest packets, oldest first; at most `PACKET_LOG_LIMIT`. */
  readonly packets: readonly RelayedPacket[];
}

/** Packets kept per phone, direction and kind: ten minutes of one call. */
export const PACKET_LOG_LIMIT = 30_000;

export type RelayRequest =
  | {
      readonly id: number;
      readonly type: 'profile';
      readonly phone: string;
      readonly direction: Direction;
      readonly profile: NetworkProfile;
    }
  | {
      readonly id: number;
      readonly type: 'truth';
      readonly phone: string;
      readonly direction: Direction;
      readonly kind: PacketKind;
    };

export type RelayAnswer =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly reason: string }
  | { readonly type: 'done'; readonly id: number; readonly truth?: RelayTruth };
