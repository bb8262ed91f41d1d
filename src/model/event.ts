import type { CapturedMedia } from './capture.ts';
import type { Device } from './phones/device.ts';
import type { PhoneReport, ReceivedPhoneReport } from './phones/phone-report.ts';
import type { Direction, ReportBlock, RtcpReport } from './report.ts';

/** The channel in an AMI event. Its texts come from the telephone network: never trust them. */
export interface ChannelSnapshot {
  readonly uniqueid: string;
  /** Call identity; changes when calls are joined. */
  readonly linkedid: string;
  /** `PJSIP/alice-0000002a` */
  readonly name: string;
  /** Asterisk's numeric channel state; 6 is Up. */
  readonly stateNumber: number;
  readonly callerNumber?: string | undefined;
  readonly callerName?: string | undefined;
  readonly connectedNumber?: string | undefined;
  readonly connectedName?: string | undefined;
  readonly exten?: string | undefined;
}

/** The codec of each direction's audio, by Asterisk's name; null is not known. */
export type ChannelCodecs = Readonly<Record<Direction, string | null>>;

/** A row of AMI's `Status` list: a channel that exists now. */
export interface ExistingChannel extends ChannelSnapshot {
  readonly bridgeId?: string;
  /** Seconds since the channel was created. */
  readonly ageS?: number;
  /** True: another channel dialled this one, by Asterisk's word. */
  readonly isDialled?: boolean;
  readonly codecs: ChannelCodecs;
}

/** Counters of a channel's RTP instance, from `CHANNEL(rtcp,all)` or ARI's `rtp_statistics`. */
export interface RtpCounters {
  readonly rxPackets?: number;
  readonly rxLostPackets?: number;
  readonly txPackets?: number;
  /** Lost of what we sent, as the far end last reported. */
  readonly txLostPackets?: number;
  readonly localSsrc?: number;
  readonly remoteSsrc?: number;
  /** Per-packet interarrival jitter of what we received, over the whole session: ARI only. */
  readonly rxJitterMeanMs?: number;
  readonly rxJitterStdevMs?: number;
}

/** Where a channel's RTP or RTCP comes from and goes to: `address:port` as Asterisk prints it. */
export interface MediaAddresses {
  readonly protocol: 'rtp' | 'rtcp';
  /** Asterisk's own address. It may be a wildcard, or differ from the address in the packets. */
  readonly local: string | undefined;
  readonly remote: string | undefined;
}

/** A report block of a captured RTCP packet. AMI shows only the first block of a packet. */
export interface CapturedReport {
  readonly block: ReportBlock;
  readonly atMs: number;
}

/** Everything that can happen to a channel, as the `calls` room takes it in. `atMs` is epoch milliseconds. */
export type PbxEvent =
  | {
      readonly type: 'channel';
      readonly atMs: number;
      readonly channel: ChannelSnapshot;
      /** Asterisk has just made the channel. */
      readonly isNew?: boolean;
    }
  | { readonly type: 'rename'; readonly atMs: number; readonly uniqueid: string; readonly newName: string }
  | {
      readonly type: 'hangup';
      readonly atMs: number;
      readonly channel: ChannelSnapshot;
      readonly cause?: number;
      readonly causeText?: string;
    }
  /** A party hangs up, or something on this server ends its leg; `hangup` follows. */
  | {
      readonly type: 'hangup-request';
      readonly atMs: number;
      readonly channel: ChannelSnapshot;
      readonly by: 'party' | 'server';
    }
  | {
      readonly type: 'bridge-enter' | 'bridge-leave';
      readonly atMs: number;
      readonly channel: ChannelSnapshot;
      readonly bridgeId: string;
      /** `native_rtp`, `simple_bridge`, `softmix`, … */
      readonly bridgeTechnology: string;
    }
  /** A channel dials another one, which was made for that. */
  | {
      readonly type: 'dial';
      readonly atMs: number;
      readonly channel: ChannelSnapshot;
      readonly dialledUniqueid: string;
    }
  | { readonly type: 'hold' | 'unhold'; readonly atMs: number; readonly channel: ChannelSnapshot }
  /** A digit (DTMF) begins or ends, which one is not kept. `rx`: its phone sends it, `tx`: this server does. */
  | {
      readonly type: 'digit';
      readonly atMs: number;
      readonly channel: ChannelSnapshot;
      readonly direction: Direction;
    }
  /** A person pressed the key that marks this moment of the call. */
  | { readonly type: 'mark'; readonly atMs: number; readonly channel: ChannelSnapshot }
  | { readonly type: 'local-bridge'; readonly atMs: number; readonly oneUniqueid: string; readonly twoUniqueid: string }
  | {
      readonly type: 'rtcp';
      readonly atMs: number;
      readonly channel: ChannelSnapshot;
      readonly report: RtcpReport;
      readonly addresses?: MediaAddresses;
    }
  | { readonly type: 'addresses'; readonly atMs: number; readonly uniqueid: string; readonly addresses: MediaAddresses }
  /** Captured packets: `open` are the present sums of live streams, `closed` the final sums of streams that ended since. */
  | {
      readonly type: 'captured';
      readonly atMs: number;
      readonly uniqueid: string;
      readonly direction: Direction;
      readonly open: CapturedMedia | null;
      readonly closed: CapturedMedia | null;
      /** The latest RTCP report of the receiver about a live stream. */
      readonly report?: CapturedReport | undefined;
    }
  | { readonly type: 'codecs'; readonly atMs: number; readonly uniqueid: string; readonly codecs: ChannelCodecs }
  | { readonly type: 'counters'; readonly atMs: number; readonly uniqueid: string; readonly counters: RtpCounters }
  /** The SIP dialog of a channel, as Asterisk answered. */
  | { readonly type: 'sip-call-id'; readonly atMs: number; readonly uniqueid: string; readonly sipCallId: string }
  /** The device at the far end of a channel. */
  | {
      readonly type: 'device';
      readonly atMs: number;
      readonly uniqueid: string;
      /** Make, model and firmware in one line. */
      readonly device: string | null;
      readonly site: string | null;
      readonly details: Device;
    }
  /** A phone has reported on the audio that it received. */
  | {
      readonly type: 'phone-heard';
      readonly atMs: number;
      readonly uniqueid: string;
      readonly report: Pick<PhoneReport, 'kind' | 'localMetrics'>;
      readonly userAgent: string | null;
    }
  /** A phone has reported the same in the RTCP of the channel. */
  | {
      readonly type: 'xr-report';
      readonly atMs: number;
      readonly uniqueid: string;
      readonly received: ReceivedPhoneReport;
    }
  /** Asterisk's device state of an endpoint, by AMI's word, such as `NOT_INUSE`. */
  | { readonly type: 'endpoint-state'; readonly atMs: number; readonly endpoint: string; readonly state: string }
  /** The link to Asterisk was lost: reports may have been missed from here on. */
  | { readonly type: 'link-lost'; readonly atMs: number }
  /** The full list of channels that exist now, after a (re)connect. */
  | { readonly type: 'resync'; readonly atMs: number; readonly channels: readonly ExistingChannel[] };
