import { CaptureJoin } from '../../calls/media/capture-join.ts';
import type { StreamOwner } from '../../calls/media/stream-owners.ts';
import { CallAudio } from '../../capture/audio/call-audio.ts';
import { CaptureAnalysis } from '../../capture/capture-analysis.ts';
import { capturedMedia, type Missed } from '../../capture/streams/captured-media.ts';
import type { LiveCaptureState } from '../../capture/live-capture.ts';
import { LiveCaptures } from '../../capture/live-captures.ts';
import type { Standing } from '../../capture/streams/stream-quota.ts';
import type { TrackedStream } from '../../capture/streams/tracked-stream.ts';
import type { Settings } from '../../config/settings.ts';
import type { CapturedMedia } from '../../model/capture.ts';
import { CHANNEL_STATE_UP } from '../../model/channel.ts';
import type { CapturedReport, ChannelSnapshot, PbxEvent } from '../../model/event.ts';
import type { CaptureHealth } from '../../model/ports.ts';
import type { Direction } from '../../model/report.ts';
import { codecClockRateHz } from '../../score/codec-clock.ts';
import { DEFAULT_GMIN } from '../../stats/packets/burst-gap.ts';
import { addMedia } from '../../stats/packets/captured-media.ts';
import type { PacketCursor } from '../../wire/packets/packet-cursor.ts';
import { hasStaticPayloadType, type PayloadFormat } from '../../wire/payload-types.ts';
import { type XrReport, XrReportSource } from './xr-report-source.ts';

/** The jitter buffer that `analyze` simulates by default, too. */
const JITTER_BUFFER = { kind: 'fixed', nominalMs: 60 } as const;
/** All the audio of 2,000 calls (four streams each) is looked at; further streams are not. */
const LISTENED = {
  mostStreams: 8000,
  enoughMs: Number.POSITIVE_INFINITY,
  enoughOfAllMs: Number.POSITIVE_INFINITY,
};
const SWEEP_EVERY_MS = 1000;
/** A channel's capture is reported with each RTCP report, and without reports this often. */
const TELL_EVERY_MS = 10_000;
const TELL_AT_MOST_EVERY_MS = 900;
/**
 * A jump between the times of two packets, in either direction: a silence, or somebody set the clock. It is smaller than the
 * smallest step that is followed.
 */
const CLOCK_JUMP_MS = 500;
const DIRECTIONS = ['rx', 'tx'] as const satisfies readonly Direction[];

export interface CallCaptureOptions {
  readonly settings: Settings['capture'];
  /** Called with what was captured of a channel. */
  readonly onCaptured: (event: Extract<PbxEvent, { type: 'captured' }>) => void;
  readonly onXrReport: (event: XrReport) => void;
  readonly askAddresses: (uniqueid: string) => void;
  readonly askCodecs: (uniqueid: string) => void;
  readonly onState: (state: LiveCaptureState) => void;
  /** Epoch milliseconds. */
  readonly nowMs: () => number;
  /** Checks whether the clock was set. If so, it calls `clockStepped` before it returns. */
  readonly followClock: () => void;
  /** 0 up to 1. */
  readonly random: () => number;
  /** The command that runs tcpdump; `tcpdump` by default. */
  readonly command?: readonly [string, ...string[]];
}

export interface CallCaptureCounters {
  readonly capturing: number;
  readonly packets: number;
  /** Streams now, and those of them that belong to a channel. */
  readonly streams: number;
  readonly streamsJoined: number;
  /** Streams dropped because they belonged to no channel. */
  readonly streamsUnmatched: number;
  /** Streams left out because the table was full. */
  readonly streamsLeftOut: number;
  readonly droppedByKernel: number;
  readonly restarts: number;
}

/** Captures packets, and reports the streams of each channel until it ends. Never waits, never throws. */
export class CallCapture {
  readonly #options: CallCaptureOptions;
  readonly #join = new CaptureJoin<TrackedStream>();
  readonly #analysis: CaptureAnalysis;
  readonly #live: LiveCaptures;
  readonly #xr: XrReportSource;
  readonly #audio: CallAudio | undefined;
  /** What the capture had missed when a stream was first joined to a channel. */
  readonly #missedBefore = new Map<TrackedStream, Missed>();
  /** Streams since the last sweep that were joined by port alone, by channel and direction. */
  readonly #admitted = new Map<string, number>();
  readonly #toldAtMs = new Map<string, number>();
  readonly #asked = new Set<string>();
  #state: LiveCaptureState | undefined;
  #unmatched = 0;
  #sweptAtMs = 0;
  /** Time of the latest packet, by the clock at that time. */
  #packetAtMs = 0;
  /** How much the clock was set while packets were still on their way to us. */
  #lateByMs = 0;

  constructor(options: CallCaptureOptions) {
    this.#options = options;
    this.#xr = new XrReportSource(options.onXrReport);
    this.#audio = options.settings.audio ? new CallAudio(LISTENED) : undefined;
    this.#analysis = new CaptureAnalysis({
      audio: this.#audio,
      gmin: DEFAULT_GMIN,
      jitterBuffer: JITTER_BUFFER,
      keepsBursts: true,
      formatOf: (stream) => this.#formatOf(stream),
      standingOf: (stream, isToBeHeld) => this.#standingOf(stream, isToBeHeld),
    });
    const { settings, random, nowMs, onState, command } = options;
    this.#live = new LiveCaptures({
      audio: settings.audio,
      interface: settings.interface,
      ports: { from: settings.ports.lowest, to: settings.ports.highest },
      ...(command === undefined ? {} : { command }),
      take: (packet) => this.#takePacket(packet),
      onState: (state) => {
        this.#state = state;
        onState(state);
      },
      random,
      nowMs,
    });
  }

  get health(): CaptureHealth {
    if (this.#state?.status === 'capturing') return { status: 'capturing', problem: null };
    return { status: 'waiting', problem: this.#state?.problem ?? 'Packets are not captured yet: tcpdump is starting.' };
  }

  get counters(): CallCaptureCounters {
    const { droppedByKernel, interruptions: restarts } = this.#missed();
    return {
      capturing: Number(this.#state?.status === 'capturing'),
      packets: this.#analysis.packets,
      streams: this.#analysis.streams.size,
      streamsJoined: this.#join.joinedStreams,
      streamsUnmatched: this.#unmatched,
      streamsLeftOut: this.#analysis.streamsLeftOut,
      droppedByKernel,
      restarts,
    };
  }

  start(): void {
    this.#live.start();
  }

  /** Ends the capture, and reports everything that was captured. */
  async stop(): Promise<void> {
    await this.#live.stop();
    this.#sweep(this.#options.nowMs());
    for (const uniqueid of this.#join.joinedChannels()) this.#tell(uniqueid, this.#options.nowMs());
  }

  /** Takes every event, before the calls do. */
  take(event: PbxEvent): void {
    this.#join.take(event);
    if (event.type === 'channel') this.#ask(event.channel.uniqueid, event.channel.stateNumber);
    if (event.type === 'resync') this.#askAll(event.channels);
    if (event.type === 'hangup') this.#asked.delete(event.channel.uniqueid);
    if (event.type !== 'rtcp') return;
    const { uniqueid } = event.channel;
    const nowMs = this.#options.nowMs();
    const hasMoreBlocks = event.report.hasMoreBlocks === true;
    if (hasMoreBlocks || nowMs - (this.#toldAtMs.get(uniqueid) ?? 0) >= TELL_AT_MOST_EVERY_MS)
      this.#tell(uniqueid, nowMs);
  }

  /** Whether a report of the far end was captured then or later that has a block about what is sent to it now. */
  hasReport(uniqueid: string, sinceMs: number): boolean {
    return (this.#reportOf(uniqueid, 'tx')?.atMs ?? 0) >= sinceMs;
  }

  /** Does what is due. Call it a few times a second. */
  tick(nowMs: number): void {
    // Also when the clock was set back.
    if (Math.abs(nowMs - this.#sweptAtMs) >= SWEEP_EVERY_MS) this.#sweep(nowMs);
  }

  /** The clock was set by `byMs`. Moves all times by it, so that nothing is due earlier or later. */
  clockStepped(byMs: number): void {
    this.#toldAtMs.clear();
    this.#join.clockStepped(byMs);
    this.#analysis.clockStepped(byMs);
    this.#lateByMs += byMs;
  }

  /**
   * The kernel stamps packets with the settable clock. A packet may show the new time before we know, or the old time after.
   */
  #takePacket(packet: PacketCursor): void {
    if (Math.abs(packet.atMs - this.#packetAtMs) > CLOCK_JUMP_MS) this.#options.followClock();
    this.#packetAtMs = packet.atMs;
    if (this.#lateByMs !== 0) {
      const nowMs = this.#options.nowMs();
      if (Math.abs(nowMs - packet.atMs) <= Math.abs(nowMs - packet.atMs - this.#lateByMs)) this.#lateByMs = 0;
    }
    this.#analysis.take(packet, this.#lateByMs);
  }

  /** Asks for the addresses of the listed channels. Their codecs came with the list. */
  #askAll(channels: readonly ChannelSnapshot[]): void {
    this.#asked.clear();
    for (const { uniqueid, stateNumber } of channels) {
      if (stateNumber !== CHANNEL_STATE_UP) continue;
      this.#asked.add(uniqueid);
      this.#options.askAddresses(uniqueid);
    }
  }

  #ask(uniqueid: string, stateNumber: number): void {
    if (stateNumber !== CHANNEL_STATE_UP || this.#asked.has(uniqueid)) return;
    this.#asked.add(uniqueid);
    this.#options.askAddresses(uniqueid);
    this.#options.askCodecs(uniqueid);
  }

  #sweep(nowMs: number): void {
    this.#sweptAtMs = nowMs;
    const { joined, over, nobodys } = this.#join.sweep(this.#analysis.streams, nowMs);
    const missed = this.#missed();
    this.#admitted.clear();
    for (const stream of joined) {
      this.#missedBefore.set(stream, missed);
      this.#analysis.adopt(stream);
    }
    for (const stream of nobodys) this.#analysis.drop(stream);
    this.#unmatched += nobodys.length;
    for (const stream of over) this.#close(stream, nowMs);
    for (const uniqueid of this.#join.joinedChannels()) {
      if (nowMs - (this.#toldAtMs.get(uniqueid) ?? 0) >= TELL_EVERY_MS) this.#tell(uniqueid, nowMs);
    }
  }

  #close(stream: TrackedStream, nowMs: number): void {
    const audio = this.#audio?.audioOf(stream) ?? null;
    this.#analysis.drop(stream);
    const closed = this.#mediaOf(stream, audio);
    const owners = this.#join.ownersOf(stream);
    for (const { uniqueid, direction } of owners) if (direction === 'tx') this.#xr.send(uniqueid, stream, nowMs);
    this.#join.remove(stream);
    this.#missedBefore.delete(stream);
    for (const { uniqueid, direction } of owners) {
      const open = this.#openOf(uniqueid, direction);
      this.#options.onCaptured({ type: 'captured', atMs: nowMs, uniqueid, direction, open, closed });
      if (open === null) this.#toldAtMs.delete(uniqueid);
    }
  }

  #tell(uniqueid: string, nowMs: number): void {
    for (const direction of DIRECTIONS) {
      const open = this.#openOf(uniqueid, direction);
      if (open === null) continue;
      this.#toldAtMs.set(uniqueid, nowMs);
      const report = this.#reportOf(uniqueid, direction);
      if (direction === 'tx') {
        for (const stream of this.#join.streamsOf(uniqueid, direction)) this.#xr.send(uniqueid, stream, nowMs);
      }
      this.#options.onCaptured({ type: 'captured', atMs: nowMs, uniqueid, direction, open, closed: null, report });
    }
  }

  #openOf(uniqueid: string, direction: Direction): CapturedMedia | null {
    return this.#join
      .streamsOf(uniqueid, direction)
      .reduce<CapturedMedia | null>((sum, stream) => addMedia(sum, this.#mediaOf(stream)), null);
  }

  /**
   * The latest captured report block about the present stream of a direction; undefined: none was captured. A far end may still
   * report on the stream before in the same packet.
   */
  #reportOf(uniqueid: string, direction: Direction): CapturedReport | undefined {
    const [first, ...others] = this.#join.streamsOf(uniqueid, direction);
    if (first === undefined) return undefined;
    const { rtcp } = others.reduce((newest, stream) => (stream.lastAtMs > newest.lastAtMs ? stream : newest), first);
    return rtcp?.lastReport === undefined ? undefined : { block: rtcp.lastReport, atMs: rtcp.lastReportAtMs };
  }

  #mediaOf(stream: TrackedStream, audio = this.#audio?.audioOf(stream) ?? null): CapturedMedia | null {
    const missed = this.#missed();
    return capturedMedia(stream, this.#missedBefore.get(stream) ?? missed, missed, audio);
  }

  #missed(): Missed {
    return { droppedByKernel: this.#live.droppedByKernel, interruptions: this.#live.restarts };
  }

  /**
   * Whether a stream belongs to a channel. `isToBeHeld`: the stream will be held, so count it when only its port names the
   * channel.
   */
  #standingOf(stream: TrackedStream, isToBeHeld: boolean): Standing {
    const keyOf = ({ uniqueid, direction }: StreamOwner): string => `${uniqueid} ${direction}`;
    let counted: string | undefined;
    const isKnown = this.#join.isKnown(stream, (owner) => {
      counted = keyOf(owner);
      return this.#admitted.get(counted) ?? 0;
    });
    if (isToBeHeld && isKnown && counted !== undefined)
      this.#admitted.set(counted, (this.#admitted.get(counted) ?? 0) + 1);
    return isKnown ? 'known' : 'stranger';
  }

  #formatOf(stream: TrackedStream): PayloadFormat | undefined {
    const codec = this.#join.codecOf(stream);
    if (codec === undefined || hasStaticPayloadType(codec)) return undefined;
    const clockRateHz = codecClockRateHz(codec);
    return clockRateHz === undefined ? undefined : { codec, clockRateHz };
  }
}
