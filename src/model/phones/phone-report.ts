/** What a phone tells of the media that it received and sent (RFC 6035). Null everywhere: the phone did not say, or said what cannot be. */
export interface PhoneReport {
  /**
   * `interval` of a call that goes on, `session` at its end, `alert` when a threshold was crossed, `xr` in RTCP (RFC 3611), `bye` in the
   * SIP request that ends the call.
   */
  readonly kind: 'session' | 'interval' | 'alert' | 'xr' | 'bye';
  /** The SIP Call-ID of the leg, which is that channel's `CHANNEL(pjsip,call-id)`. */
  readonly callId: string | null;
  readonly localId: string | null;
  readonly remoteId: string | null;
  readonly local: PhoneMediaAddress;
  readonly remote: PhoneMediaAddress;
  /** What the phone measured of the audio that it received. */
  readonly localMetrics: PhoneMetrics;
  /** What its far end told the phone; null when the report has no such part. */
  readonly remoteMetrics: PhoneMetrics | null;
  readonly alert: PhoneAlert | null;
}

export interface PhoneMediaAddress {
  readonly address: string | null;
  readonly port: number | null;
  readonly ssrc: number | null;
}

/** `Type=NLR Severity=Critical Dir=local`, in lower case. */
export interface PhoneAlert {
  readonly metric: string;
  readonly severity: string | null;
  readonly direction: string | null;
}

/** One direction's metrics under the names of RFC 3611 §4.7, which RFC 6035 takes over. */
export interface PhoneMetrics {
  /** Epoch milliseconds. Some phones begin each interval at the call's start: it is cumulative then. */
  readonly startAtMs: number | null;
  readonly stopAtMs: number | null;
  readonly payloadType: number | null;
  /** The SDP's encoding name in lower case. */
  readonly codec: string | null;
  readonly clockRateHz: number | null;
  /** Of one frame of the codec. */
  readonly frameDurationMs: number | null;
  readonly framesPerPacket: number | null;
  readonly packetsPerS: number | null;
  /** 1 disabled, 2 enhanced, 3 standard. */
  readonly plc: number | null;
  /** 2 fixed, 3 adaptive. */
  readonly jba: number | null;
  readonly jbRate: number | null;
  readonly jbNominalMs: number | null;
  readonly jbMaximumMs: number | null;
  readonly jbAbsMaxMs: number | null;
  /** Percent, as are all that end so. */
  readonly networkLossPercent: number | null;
  /** Thrown away by the jitter buffer: came too late, or too early. */
  readonly discardPercent: number | null;
  readonly burstLossPercent: number | null;
  readonly burstDurationMs: number | null;
  readonly gapLossPercent: number | null;
  readonly gapDurationMs: number | null;
  readonly gmin: number | null;
  readonly roundTripDelayMs: number | null;
  readonly endSystemDelayMs: number | null;
  readonly oneWayDelayMs: number | null;
  readonly interarrivalJitterMs: number | null;
  readonly meanAbsoluteJitterMs: number | null;
  readonly signalLevelDbm: number | null;
  readonly noiseLevelDbm: number | null;
  readonly rerlDb: number | null;
  /** 0-120: wideband codecs pass 100. */
  readonly rLq: number | null;
  readonly rCq: number | null;
  readonly extRIn: number | null;
  readonly extROut: number | null;
  /** 1.0-5.0. */
  readonly mosLq: number | null;
  readonly mosCq: number | null;
}

/** Of a phone's metrics, what its reports of one channel are summed up to. */
export const HEARD_QUANTITIES = [
  'networkLossPercent',
  'discardPercent',
  'burstLossPercent',
  'burstDurationMs',
  'gapLossPercent',
  'gapDurationMs',
  'roundTripDelayMs',
  'endSystemDelayMs',
  'interarrivalJitterMs',
  'rLq',
  'rCq',
  'mosLq',
  'mosCq',
] as const satisfies readonly (keyof PhoneMetrics)[];

export type HeardQuantities = Pick<PhoneMetrics, (typeof HEARD_QUANTITIES)[number]>;

/** What a phone's own reports say of the audio that it received on a channel: our tx. A witness beside RTCP, not in its place. */
export interface PhoneHearing extends HeardQuantities {
  readonly reports: number;
  /** The time that the quantities cover, by the phone's clock; null when it does not say. */
  readonly startAtMs: number | null;
  readonly stopAtMs: number | null;
  readonly userAgent: string | null;
}

/** How a report was found to be a channel's: by the leg's SIP Call-ID, by media addresses and an SSRC, or as part of its own RTCP or BYE. */
export type PhoneReportJoin = 'call-id' | 'address' | 'rtcp' | 'bye';

/** A report and where it came from. */
export interface ReceivedPhoneReport {
  readonly report: PhoneReport;
  readonly atMs: number;
  readonly fromAddress: string;
  /** As the phone names itself: make, model and firmware; null when it does not. */
  readonly userAgent: string | null;
}

/** A report that was found to be a channel's. */
export interface JoinedPhoneReport extends ReceivedPhoneReport {
  readonly uniqueid: string;
  readonly joinedBy: PhoneReportJoin;
  /** It came from where the phone's signalling or audio comes from, or from an address that `peers` names: only then is it believed. */
  readonly isFromPhone: boolean;
}

/** What a report can be joined by. Addresses are `address:port`, `signallingAddress` has no port. */
export interface SipLeg {
  readonly uniqueid: string;
  readonly sipCallId: string | null;
  readonly signallingAddress: string | null;
  /** Of the RTP: Asterisk's end, and the phone's. */
  readonly localMedia: string | null;
  readonly remoteMedia: string | null;
  readonly rxSsrc: number | null;
  readonly txSsrc: number | null;
}
