import { expect } from 'vitest';
import { type Batch, encodeBatch } from '../../../src/history/write/batch.ts';
import { ChangeQueue } from '../../../src/history/write/change-queue.ts';
import type { CapturedMedia, PacketTally } from '../../../src/model/capture.ts';
import type {
  CallRecord,
  ChannelRecord,
  HistoryChange,
  IntervalRecord,
  ResumeState,
  SegmentRecord,
  StreamRecord,
} from '../../../src/model/record.ts';
import type { SampleSummary } from '../../../src/model/fields/field.ts';
import type { CaptureRecord } from '../../../src/model/capture.ts';

/** Changes as they are committed together, after they have waited in the queue. */
export function batchOf(...changes: readonly HistoryChange[]): Batch {
  const queue = new ChangeQueue(Infinity);
  for (const change of changes) queue.push(change);
  const { states, intervals, rejected } = encodeBatch(queue.take());
  expect(rejected).toBe(0);
  return { states, intervals };
}

/** What scoring goes on from; nobody looks into it. */
export function resumeOf(state: string, rxReports = 0, txReports = 0): ResumeState {
  return { state, rxReports, txReports };
}

/** 2026-11-20T10:00:00.000Z */
export const START_MS = 1_795_168_800_000;

const RTT: SampleSummary = { last: 101.5, mean: 100.25, min: 99, max: 104.125, stdev: 1.5, count: 12 };
const NO_SAMPLES: SampleSummary = { last: null, mean: null, min: null, max: null, stdev: null, count: 0 };

export function streamRecord(part: Partial<StreamRecord> = {}): StreamRecord {
  return {
    direction: 'rx',
    reporter: 'local',
    ssrc: 0x3c2c6734,
    codec: 'ulaw',
    clockRateHz: 8000,
    clockRateSource: 'sr',
    reports: 12,
    idleReports: 1,
    deadReports: 0,
    unusedReports: 4,
    packetsExpected: 600,
    packetsReceived: 588,
    packetsLost: 12,
    duplicates: 2,
    sequenceRestarts: 1,
    jitterResets: 3,
    lossPercent: 2,
    lostPacketsPerReportMean: 1,
    rttMs: RTT,
    jitterMs: NO_SAMPLES,
    rttKnown: true,
    effectiveLatencyMs: 110.25,
    rValue: 87.94,
    mes: 4.2866,
    mes100: 85.732,
    mesMin: 3.5,
    profile: 'documented',
    nativeMes100: 88.1,
    rLq: 84.61,
    rCq: 84.46,
    mosLq: 4.186,
    mosCq: 4.181,
    mosLqInterval: 4.4,
    mosCqInterval: null,
    senderPackets: 610,
    senderOctets: 97_600,
    lossyReports: 3,
    lastReportAtMs: 1_795_000_100_000,
    packetJitterMeanMs: 2.5,
    packetJitterStdevMs: 0.75,
    fractionLostQ8: 5,
    jitterTicks: 12,
    unknownSinceMs: null,
    verdict: 'good',
    why: '2 % of the packets were lost.',
    nativeWhy: null,
    capture: null,
    ...part,
  };
}

/** 640 packets of 20 ms, of which 24 were lost: one in a gap, the others in two bursts of 20 and 30 packets. */
export function packetTally(part: Partial<PacketTally> = {}): PacketTally {
  return {
    firstAtMs: START_MS,
    lastAtMs: START_MS + 12_780,
    packetsReceived: 616,
    packetsExpected: 640,
    duplicates: 3,
    outOfOrder: 2,
    jitterSumMs: 1236,
    jitterSamples: 618,
    jitterMaxMs: 9.5,
    maxGapMs: 200.25,
    arrivalCounts: Array.from({ length: 30 }, (_, bin) => (bin === 9 ? 600 : bin === 16 ? 18 : 0)),
    burstGap: {
      bursts: 2,
      burstPackets: 50,
      burstLosses: 23,
      gaps: 3,
      gapPackets: 590,
      gapLosses: 1,
      lossRuns: 6,
      longestLossRun: 9,
    },
    burstMs: 1000,
    gapMs: 11_800,
    longestLossMs: 180,
    burstSpans: [
      { fromMs: START_MS + 2000, toMs: START_MS + 2380, packets: 20, losses: 9 },
      { fromMs: START_MS + 8000, toMs: START_MS + 8580, packets: 30, losses: 14 },
    ],
    burstSpansLeftOut: 0,
    discarded: 0,
    frames10ms: { normal: 1232, plc: 30, cng: 0, silence: 18 },
    fills: 6,
    gmin: 16,
    jbNominalMs: 60,
    jbMaximumMs: 120,
    jbAbsMaxMs: 120,
    isJitterBufferAdaptive: false,
    ...part,
  };
}

export function capturedMedia(part: Partial<CapturedMedia> = {}): CapturedMedia {
  return {
    tally: packetTally(),
    streams: 1,
    ssrc: 0x3c2c6734,
    source: '192.0.2.7:5004',
    destination: '198.51.100.1:12000',
    payloadType: 0,
    codec: 'ulaw',
    droppedByKernel: 0,
    interruptions: 0,
    ...part,
  };
}

export function captureRecord(part: Partial<CaptureRecord> = {}): CaptureRecord {
  return {
    media: capturedMedia(),
    roundTripMs: 80.5,
    rLq: 60.25,
    rCq: 60.1,
    mosLq: 3.11,
    mosCq: 3.104,
    ...part,
  };
}

export function channelRecord(uniqueid: string, part: Partial<ChannelRecord> = {}): ChannelRecord {
  return {
    uniqueid,
    linkedid: uniqueid,
    name: `PJSIP/alice-${uniqueid}`,
    endpoint: 'PJSIP/alice',
    callerNumber: '100',
    callerName: 'Alice "A" O\'Hara; DROP TABLE calls',
    connectedNumber: '200',
    connectedName: null,
    exten: '200',
    codec: 'ulaw',
    startedAtMs: START_MS,
    answeredAtMs: START_MS + 1500,
    endedAtMs: null,
    endReason: null,
    hangupCause: null,
    hangupCauseText: null,
    hangupBy: null,
    hangupAtMs: null,
    hangupEndedTalk: null,
    bridgeId: 'b-1',
    bridgeTechnology: 'native_rtp',
    peerUniqueid: null,
    onHold: true,
    mes: 4.29,
    mesRx: 4.2866,
    mesTx: null,
    mesPeerRx: null,
    mesPeerTx: 4.1,
    mesCall: 4.2,
    mesMin: 3.5,
    verdict: 'good',
    profile: 'documented',
    version: '0.1.0',
    finalAtMs: null,
    lastReceivedAtMs: START_MS + 60_000,
    device: 'Yealink SIP-T54W 96.86.0.100',
    site: 'Berlin',
    deviceDetails: {
      make: 'Yealink',
      model: 'SIP-T54W',
      firmware: '96.86.0.100',
      transport: 'tls',
      address: '198.51.100.7',
      isBehindNat: true,
      networkKind: 'wifi',
    },
    sipCallId: '5b1e-7@198.51.100.7',
    phone: {
      reports: 3,
      startAtMs: START_MS,
      stopAtMs: START_MS + 15_000,
      userAgent: 'Yealink SIP-T54W 96.86.0.100',
      networkLossPercent: 0.5,
      discardPercent: 6.25,
      burstLossPercent: null,
      burstDurationMs: null,
      gapLossPercent: null,
      gapDurationMs: null,
      roundTripDelayMs: 120,
      endSystemDelayMs: 80,
      interarrivalJitterMs: null,
      rLq: null,
      rCq: null,
      mosLq: 4.1,
      mosCq: null,
    },
    streams: [streamRecord()],
    ...part,
  };
}

export function callRecord(linkedid: string, part: Partial<CallRecord> = {}): CallRecord {
  return {
    linkedid,
    startedAtMs: START_MS,
    endedAtMs: null,
    mes: 4.2,
    mesMin: 3.5,
    verdict: 'good',
    profile: 'documented',
    version: '0.1.0',
    faultPlace: 'caller-network',
    faultCertainty: 'sure',
    faultReports: 48,
    faultWhy: 'The fault lies between PJSIP/alice (the caller) and this server.',
    endedBy: null,
    endedByUniqueid: null,
    findings: null,
    ...part,
  };
}

export function intervalRecord(
  uniqueid: string,
  reportNumber: number,
  part: Partial<IntervalRecord> = {},
): IntervalRecord {
  return {
    uniqueid,
    direction: 'rx',
    reporter: 'local',
    reportNumber,
    channelReportNumber: reportNumber,
    beganAtMs: null,
    atMs: START_MS + reportNumber * 5000,
    kind: 'media',
    ssrc: 0xffff_ffff,
    fractionLostQ8: 5,
    cumulativeLostPackets: -1,
    extendedHighestSequence: 4_294_967_295,
    jitterTicks: 160,
    codec: 'ulaw',
    clockRateHz: 8000,
    clockRateSource: 'sr',
    lsrNtp32: 0xdead_beef,
    dlsrS: 1.25,
    senderPackets: 250,
    rttMs: 100.5,
    jitterMs: 20,
    packetsExpected: 250,
    packetsLost: 0,
    duplicates: 1,
    latePackets: 2,
    lossPercent: 0,
    coversReports: 1,
    effectiveLatencyMs: 110.5,
    rValue: 90.4375,
    mes: 4.35,
    mesRunning: 4.34,
    nativeMes100: null,
    sentNtpS: 1_795_168_801.25,
    sentRtpTicks: 4_294_967_295,
    sentPackets: 251,
    sentOctets: 40_160,
    sentSsrc: 0x2000_0014,
    profile: 'documented',
    ...part,
  };
}

export function segmentRecord(
  uniqueid: string,
  segmentNumber: number,
  part: Partial<SegmentRecord> = {},
): SegmentRecord {
  const {
    mosLqInterval: _mosLqInterval,
    mosCqInterval: _mosCqInterval,
    lossyReports: _lossyReports,
    lastReportAtMs: _lastReportAtMs,
    packetJitterMeanMs: _packetJitterMeanMs,
    packetJitterStdevMs: _packetJitterStdevMs,
    fractionLostQ8: _fractionLostQ8,
    jitterTicks: _jitterTicks,
    unknownSinceMs: _unknownSinceMs,
    verdict: _verdict,
    why: _why,
    nativeWhy: _nativeWhy,
    capture: _capture,
    ...measures
  } = streamRecord();
  return {
    ...measures,
    uniqueid,
    segmentNumber,
    openedBy: segmentNumber === 1 ? 'start' : 'retrieve',
    startedAtMs: START_MS + segmentNumber * 10_000,
    endedAtMs: START_MS + segmentNumber * 10_000 + 9000,
    ...part,
  };
}
