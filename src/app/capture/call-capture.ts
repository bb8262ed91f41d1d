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

/** What `analyze` simulates, too, unless told. */
const JITTER_BUFFER = { kind: 'fixed', nominalMs: 60 } as const;
/** Whose audio is looked at: that of 2,000 calls, all of it. */
const LISTENED = {
  mostStreams: 8000,
  enoughMs: Number.POSITIVE_INFINITY,
  enoughOfAllMs: Number.POSITIVE_INFINITY,
};
const SWEEP_EVERY_MS = 1000;
/** A channel is told of at each report about it, and without reports this often. */
const TELL_EVERY_MS = 10_000;
const TELL_AT_MOST_EVERY_MS = 900;
/** From one packet to the next, either way: nobody sent anything, or the clock was set. Less than a step that is followed. */
const CLOCK_JUMP_MS = 500;
const DIRECTIONS = ['rx', 'tx'] as const satisfies readonly Direction[];

export interface CallCaptureOptions {
  readonly settings: Settings['capture'];
  /** Takes what was captured of a channel, and asks for what is not known of it. */
  readonly onCaptured: (event: Extract<PbxEvent, { type: 'captured' }>) => void;
  readonly onXrReport: (event: XrReport) => void;
  readonly askAddresses: (uniqueid: string) => void;
  readonly askCodecs: (uniqueid: string) => void;
  readonly onState: (state: LiveCaptureState) => void;
  /** Epoch milliseconds. */
  readonly nowMs: () => number;
  /** Looks whether the clock was set; if so, `clockStepped` is called before it returns. */
  readonly followClock: () => void;
  /** 0 up to 1. */
  readonly random: () => number;
  /** How tcpdump is called, when not by its name. */
  readonly command?: readonly [string, ...string[]];
}

export interface CallCaptureCounters {
  readonly capturing: number;
  readonly packets: number;
  /** Streams now, and of those the ones that are a channel's. */
  readonly streams: number;
  readonly streamsJoined: number;
  /** Streams that were nobody's and were let go. */
  readonly streamsUnmatched: number;
  /** Streams that came when as many as can be held were there. */
  readonly streamsLeftOut: number;
  readonly droppedByKernel: number;
  readonly restarts: number;
}

/** Captures packets and tells of each channel what its streams amount to, until its end. Never waits, never throws. */
export class CallCapture {
  readonly #options: CallCaptureOptions;
  readonly #join = new CaptureJoin<TrackedStream>();
  readonly #analysis: CaptureAnalysis;
  readonly #live: LiveCaptures;
  readonly #xr: XrReportSource;
  readonly #audio: CallAudio | undefined;
  /** What had been missed when a stream was first seen to be somebody's. */
  readonly #missedBefore = new Map<TrackedStream, Missed>();
  /** Streams since the last sweep that only their port names, by channel and direction. */
  readonly #admitted = new Map<string, number>();
  readonly #toldAtMs = new Map<string, number>();
  readonly #asked = new Set<string>();
  #state: LiveCaptureState | undefined;
  #unmatched = 0;
  #sweptAtMs = 0;
  /** Of the latest packet, by the clock as it was then. */
  #packetAtMs = 0;
  /** By how much the clock was set since packets that are still on their way were captured. */
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

  /** Ends capturing and tells of everything that was captured. */
  async stop(): Promise<void> {
    await this.#live.stop();
    this.#sweep(this.#options.nowMs());
    for (const uniqueid of this.#join.joinedChannels()) this.#tell(uniqueid, this.#options.nowMs());
  }

  /** To be told of every event before the calls are. */
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

  /** Does what has become due; to be called a few times a second. */
  tick(nowMs: number): void {
    // A clock that was set back does not hold it up.
    if (Math.abs(nowMs - this.#sweptAtMs) >= SWEEP_EVERY_MS) this.#sweep(nowMs);
  }

  /** The clock was set, by so many milliseconds: what is due stays due when it was, and streams go on as if nobody had. */
  clockStepped(byMs: number): void {
    this.#toldAtMs.clear();
    this.#join.clockStepped(byMs);
    this.#analysis.clockStepped(byMs);
    this.#lateByMs += byMs;
  }

  /** The kernel times packets by the clock that can be set: a packet may know of it before us, or be from before it. */
  #takePacket(packet: PacketCursor): void {
    if (Math.abs(packet.atMs - this.#packetAtMs) > CLOCK_JUMP_MS) this.#options.followClock();
    this.#packetAtMs = packet.atMs;
    if (this.#lateByMs !== 0) {
      const nowMs = this.#options.nowMs();
      if (Math.abs(nowMs - packet.atMs) <= Math.abs(nowMs - packet.atMs - this.#lateByMs)) this.#lateByMs = 0;
    }
    this.#analysis.take(packet, this.#lateByMs);
  }

  /** Of channels that have gone since nothing is kept. The codecs came with the list of channels. */
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
   * The latest report block about what is sent in one direction of a channel now; undefined when none was captured. A far end
   * may go on reporting on the stream before as well, in the same packet.
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

  /** One that is to be held is counted until it is joined. */
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
