import type { CapturedAudio, Echo } from '../../model/capture.ts';
import { EchoSearch } from '../../stats/audio/echo-search.ts';
import { SampleHistory } from '../../stats/audio/sample-history.ts';
import type { DatagramReader } from '../../wire/packets/datagram.ts';
import { type PayloadFormat, staticFormat } from '../../wire/payload-types.ts';
import { rtpHeaderBytes, rtpMediaBytes, rtpSequence, rtpTimestamp } from '../../wire/rtp.ts';
import type { TrackedStream } from '../streams/tracked-stream.ts';
import { StreamAudio, isReadable } from './stream-audio.ts';

/** Calls of which echoes are looked for at once; each takes some 500 KB until it is known. */
const MOST_CALLS = 4;
/** Who was heard for so long in both directions can be searched, and is given up after so many half seconds. */
const SEARCHED_FROM_MS = 1000;
const MOST_TRIED = 40;
const SAMPLES_PER_MS = 8;

/** What one end sends, and what is sent to it. */
interface Pair {
  readonly returned: StreamAudio;
  readonly sent: StreamAudio;
  readonly search: EchoSearch;
  /** Number of the sample after the last one that was looked at; undefined before the first. */
  searchedTo: number | undefined;
  /** Half seconds that were looked at, with or without talk. */
  tried: number;
}

export interface CallAudioLimits {
  /** Streams that are listened to at once; each takes some 12 KB. */
  readonly mostStreams: number;
  /** How much of a stream's audio is enough to tell, and of all streams together. */
  readonly enoughMs: number;
  readonly enoughOfAllMs: number;
}

/** Looks at the audio of streams, and for echoes between the two directions of a call. */
export class CallAudio {
  /** What payload types mean whatever the capture says of them. */
  readonly #codecs: ReadonlyMap<number, PayloadFormat>;
  /** The latest stream between two ports, one way. */
  readonly #streams = new Map<string, StreamAudio>();
  readonly #pairs = new Map<StreamAudio, Pair>();
  readonly #found = new Map<StreamAudio, Echo | null>();
  /** Where the latest packet lies. */
  #buffer: ArrayBufferLike | undefined;
  #bytes: Uint8Array = new Uint8Array(0);
  #listened = 0;

  readonly #mostStreams: number;
  readonly #enoughMs: number;
  #leftMs: number;

  constructor(
    { mostStreams, enoughMs, enoughOfAllMs }: CallAudioLimits,
    codecs: ReadonlyMap<number, PayloadFormat> = new Map<number, PayloadFormat>(),
  ) {
    this.#mostStreams = mostStreams;
    this.#enoughMs = enoughMs;
    this.#leftMs = enoughOfAllMs;
    this.#codecs = codecs;
  }

  /** A stream has begun. */
  add(stream: TrackedStream): void {
    if (this.#listened >= this.#mostStreams) return;
    this.#listened += 1;
    const audio = new StreamAudio();
    stream.audio = audio;
    stream.isListenedTo = true;
    const back = this.#streams.get(`${stream.destination} ${stream.source}`);
    this.#streams.set(`${stream.source} ${stream.destination}`, audio);
    if (back === undefined) return;
    audio.opposite = back;
    back.opposite = audio;
  }

  /** The RTP packet that `datagram` holds; nothing is done with one that was not captured whole. */
  take(stream: TrackedStream, payloadType: number, view: DataView, datagram: DatagramReader, atMs: number): void {
    const { audio } = stream;
    const { payloadStart: at, payloadEnd, payloadBytes } = datagram;
    if (audio === undefined || payloadEnd - at < payloadBytes) return;
    if (audio.history === undefined && (audio.heardMs >= this.#enoughMs || this.#leftMs <= 0)) {
      stream.isListenedTo = false;
      return;
    }
    const codec = (this.#codecs.get(payloadType) ?? staticFormat(payloadType))?.codec;
    if (!isReadable(codec)) return;
    const from = at + rtpHeaderBytes(view, at, payloadEnd);
    const to = from + rtpMediaBytes(view, at, payloadEnd, payloadBytes);
    this.#leftMs -= (to - from) / SAMPLES_PER_MS;
    if (view.buffer !== this.#buffer) {
      this.#buffer = view.buffer;
      this.#bytes = new Uint8Array(view.buffer);
    }
    const { byteOffset } = view;
    audio.take(
      { bytes: this.#bytes, from: byteOffset + from, to: byteOffset + to, codec },
      rtpSequence(view, at),
      rtpTimestamp(view, at),
      atMs,
    );
    if (audio.history !== undefined) this.#search(audio);
    else if (audio.isUnsearched && audio.heardMs >= SEARCHED_FROM_MS) this.#begin(audio);
  }

  /** What is known of a stream's audio, with what its sender sends back of what it gets; null: it cannot be read. */
  audioOf({ audio }: TrackedStream): CapturedAudio | null {
    if (audio === undefined) return null;
    const levels = audio.levels();
    const echo = this.#found.get(audio) ?? this.#pairs.get(audio)?.search.echo() ?? null;
    return levels === null ? null : { levels, echo };
  }

  /** The stream has ended. */
  remove({ audio, source, destination }: TrackedStream): void {
    if (audio === undefined) return;
    this.#listened -= 1;
    if (this.#streams.get(`${source} ${destination}`) === audio) this.#streams.delete(`${source} ${destination}`);
    for (const pair of this.#pairs.values()) {
      if (pair.returned === audio || pair.sent === audio) this.#close(pair);
    }
    this.#found.delete(audio);
    if (audio.opposite?.opposite === audio) audio.opposite.opposite = undefined;
  }

  /** Begins to look for the echoes of a call, if there is a place. */
  #begin(audio: StreamAudio): void {
    const { opposite } = audio;
    if (opposite === undefined || opposite.heardMs < SEARCHED_FROM_MS || this.#pairs.size >= 2 * MOST_CALLS) return;
    for (const [returned, sent] of [
      [audio, opposite],
      [opposite, audio],
    ] as const) {
      returned.isUnsearched = false;
      returned.history = new SampleHistory();
      this.#pairs.set(returned, { returned, sent, search: new EchoSearch(), searchedTo: undefined, tried: 0 });
    }
  }

  #search(returned: StreamAudio): void {
    const pair = this.#pairs.get(returned);
    const { history } = returned;
    const sent = pair?.sent.history;
    if (pair === undefined || history === undefined || sent === undefined) return;
    const { endNumber } = history;
    // The sender's clock may have begun anew.
    const searchedTo = Math.min(pair.searchedTo ?? endNumber, endNumber);
    pair.searchedTo = searchedTo;
    if (endNumber - searchedTo < EchoSearch.windowSamples) return;
    // What came back now was sent at the same moment or before.
    const offset = Math.round((returned.originMs - pair.sent.originMs) * SAMPLES_PER_MS);
    // The other direction may be behind by a packet or two.
    const end = Math.min(endNumber, sent.endNumber - offset);
    if (end - searchedTo < EchoSearch.windowSamples) return;
    pair.search.take(sent, history, end, offset);
    pair.searchedTo = end;
    pair.tried += 1;
    if (pair.search.isDone || pair.tried >= MOST_TRIED) this.#close(pair);
  }

  #close(pair: Pair): void {
    this.#found.set(pair.returned, pair.search.echo());
    this.#pairs.delete(pair.returned);
    // The other way round both are needed still.
    if (this.#pairs.has(pair.sent)) return;
    pair.returned.history = undefined;
    pair.sent.history = undefined;
  }
}
