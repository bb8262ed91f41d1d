/**
 * A phone's report about the media that it received and sent (RFC 6035). A null value: the phone did not give it, or gave an
 * impossible one.
 */
export interface PhoneReport {
  /**
   * `interval`: the call goes on. `session`: at its end. `alert`: a threshold was crossed. `xr`: in RTCP (RFC 3611). `bye`: in
   * the SIP request that ends the call.
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
  /** What its far end reported to the phone; null: the report has no such part. */
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
  /** The length of one frame of the codec. */
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
  /** Percent, like all values whose names end so. */
  readonly networkLossPercent: number | null;
  /** Discarded by the jitter buffer, because it came too late or too early. */
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
  /** 0-120: wideband codecs exceed 100. */
  readonly rLq: number | null;
  readonly rCq: number | null;
  readonly extRIn: number | null;
  readonly extROut: number | null;
  /** 1.0-5.0. */
  readonly mosLq: number | null;
  readonly mosCq: number | null;
}

/** The metrics of a phone that are summed over its reports of one channel. */
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

/**
 * What a phone's own reports say about the audio that it received on a channel, our tx. They stand beside RTCP and do not replace
 * it.
 */
export interface PhoneHearing extends HeardQuantities {
  readonly reports: number;
  /** The time that the quantities cover, by the phone's clock; null: it does not say. */
  readonly startAtMs: number | null;
  readonly stopAtMs: number | null;
  readonly userAgent: string | null;
}

/**
 * How a report's channel was found: by the leg's SIP Call-ID, by media addresses and an SSRC, or because the report came in the
 * channel's own RTCP or BYE.
 */
export type PhoneReportJoin = 'call-id' | 'address' | 'rtcp' | 'bye';

/** A report and where it came from. */
export interface ReceivedPhoneReport {
  readonly report: PhoneReport;
  readonly atMs: number;
  readonly fromAddress: string;
  /** Make, model and firmware as the phone names itself; null: it does not. */
  readonly userAgent: string | null;
}

/** A report whose channel was found. */
export interface JoinedPhoneReport extends ReceivedPhoneReport {
  readonly uniqueid: string;
  readonly joinedBy: PhoneReportJoin;
  /**
   * Whether it came from where the phone's signalling or audio comes from, or from an address in `peers`. Only then is it
   * believed.
   */
  readonly isFromPhone: boolean;
}

/** What a report can be joined by. Addresses are `address:port`; `signallingAddress` has no port. */
export interface SipLeg {
  readonly uniqueid: string;
  readonly sipCallId: string | null;
  readonly signallingAddress: string | null;
  /** Asterisk's and the phone's address of the RTP. */
  readonly localMedia: string | null;
  readonly remoteMedia: string | null;
  readonly rxSsrc: number | null;
  readonly txSsrc: number | null;
}
