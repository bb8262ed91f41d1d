import type { CapturedAudio, Echo } from '../../model/capture.ts';
import { EchoSearch } from '../../stats/audio/echo-search.ts';
import { SampleHistory } from '../../stats/audio/sample-history.ts';
import type { DatagramReader } from '../../wire/packets/datagram.ts';
import { type PayloadFormat, staticFormat } from '../../wire/payload-types.ts';
import { rtpHeaderBytes, rtpMediaBytes, rtpSequence, rtpTimestamp } from '../../wire/rtp.ts';
import type { TrackedStream } from '../streams/tracked-stream.ts';
import { StreamAudio, isReadable } from './stream-audio.ts';

/** Calls that are searched for echoes at a time. Each takes some 500 KB until the result is known. */
const MOST_CALLS = 4;
/** A call is searched once both directions were heard this long. The search ends after so many half seconds. */
const SEARCHED_FROM_MS = 1000;
const MOST_TRIED = 40;
const SAMPLES_PER_MS = 8;

/** The audio that one end sends, and the audio that is sent to it. */
interface Pair {
  readonly returned: StreamAudio;
  readonly sent: StreamAudio;
  readonly search: EchoSearch;
  /** Number of the sample after the last examined one; undefined before the first. */
  searchedTo: number | undefined;
  /** Half seconds that were examined, with or without talk. */
  tried: number;
}

export interface CallAudioLimits {
  /** Streams that are examined at a time; each takes some 12 KB. */
  readonly mostStreams: number;
  /** How much audio of one stream, and of all streams together, is examined. */
  readonly enoughMs: number;
  readonly enoughOfAllMs: number;
}

/** Examines the audio of streams, and searches for echoes between the two directions of a call. */
export class CallAudio {
  /** Codecs by payload type that win over what the capture says. */
  readonly #codecs: ReadonlyMap<number, PayloadFormat>;
  /** The latest stream between two ports, one way. */
  readonly #streams = new Map<string, StreamAudio>();
  readonly #pairs = new Map<StreamAudio, Pair>();
  readonly #found = new Map<StreamAudio, Echo | null>();
  /** The buffer of the latest packet. */
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

  /** Begins with a stream. */
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

  /** Takes the RTP packet in `datagram`, unless it was captured only in part. */
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

  /** The findings in a stream's audio, with the echo from its sender; null: the audio cannot be read. */
  audioOf({ audio }: TrackedStream): CapturedAudio | null {
    if (audio === undefined) return null;
    const levels = audio.levels();
    const echo = this.#found.get(audio) ?? this.#pairs.get(audio)?.search.echo() ?? null;
    return levels === null ? null : { levels, echo };
  }

  /** Ends with a stream. */
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

  /** Begins the search for echoes of a call, unless `MOST_CALLS` are being searched. */
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
    // An echo that returns now was sent at the same moment or earlier.
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
    // The search the other way round still needs both.
    if (this.#pairs.has(pair.sent)) return;
    pair.returned.history = undefined;
    pair.sent.history = undefined;
  }
}
