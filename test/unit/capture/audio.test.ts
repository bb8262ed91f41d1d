import { describe, expect, test } from 'vitest';
import { CallAudio } from '../../../src/capture/audio/call-audio.ts';
import { type ReadableCodec, StreamAudio } from '../../../src/capture/audio/stream-audio.ts';
import type { TrackedStream } from '../../../src/capture/streams/tracked-stream.ts';
import type { CapturedAudio } from '../../../src/model/capture.ts';
import { audioFindings, findingWords } from '../../../src/stats/audio/audio-findings.ts';
import { addAudio } from '../../../src/stats/audio/add-audio.ts';
import { audioToJson } from '../../../src/wire/rtcp/voip-metrics.ts';
import type { DatagramReader } from '../../../src/wire/packets/datagram.ts';
import { alaw, babble, delayed, mixed, noise, tone, ulaw } from './made-audio.ts';

const PACKET_SAMPLES = 160;
const RTP_BYTES = 12;

/** Feeds codes as packets of 20 ms; `without`: sequence numbers that are lost. */
function listen(
  codes: Uint8Array,
  codec: ReadableCodec,
  without: ReadonlySet<number> = new Set(),
  samples = PACKET_SAMPLES,
): StreamAudio {
  const audio = new StreamAudio();
  for (let n = 0; (n + 1) * samples <= codes.length; n += 1) {
    if (without.has(n)) continue;
    const from = n * samples;
    audio.take({ bytes: codes, from, to: from + samples, codec }, (65_500 + n) & 0xffff, from | 0, (n * samples) / 8);
  }
  return audio;
}

function signalOf(audio: StreamAudio): number {
  const signal = audio.levels()?.signalDbm0;
  if (signal === undefined || signal === null) throw new Error('no signal was found');
  return signal;
}

/** ITU-T G.711 tables 5 and 6: a sine of 1 kHz at 0 dBm0. */
const MILLIWATT = {
  ulaw: [0x1e, 0x0b, 0x0b, 0x1e, 0x9e, 0x8b, 0x8b, 0x9e],
  alaw: [0x34, 0x21, 0x21, 0x34, 0xb4, 0xa1, 0xa1, 0xb4],
} as const;

describe('levels of audio', () => {
  test.each(['ulaw', 'alaw'] as const)("the digital milliwatt of G.711's own tables is 0 dBm0 in %s", (codec) => {
    const codes = Uint8Array.from({ length: 16_000 }, (_, n) => MILLIWATT[codec][n % 8] ?? 0);
    // Full scale is 3.14 dBm0 in A-law and 3.17 in µ-law, and each sample is rounded to its code.
    expect(Math.abs(signalOf(listen(codes, codec)))).toBeLessThan(0.1);
  });

  test.each([-3, -20, -42])('a tone of %i dBm0 in bursts over a quiet line', (dbm0) => {
    const on = tone(dbm0, 997, 10).map((sample, n) => (Math.floor(n / 4000) % 2 === 0 ? sample : 0));
    const line = mixed(on, noise(-66, 10, 7));
    expect(Math.abs(signalOf(listen(alaw(line), 'alaw')) - dbm0)).toBeLessThan(0.5);
    expect(Math.abs(signalOf(listen(ulaw(line), 'ulaw')) - dbm0)).toBeLessThan(0.5);
  });

  test('talk and the noise of its pauses, also where one is not far from the other', () => {
    for (const [talkDbm0, noiseDbm0] of [
      [-18, -55],
      [-20, -34],
      [-30, -62],
    ] as const) {
      const levels = listen(ulaw(mixed(babble(talkDbm0, 20, 3), noise(noiseDbm0, 20, 5))), 'ulaw').levels();
      expect(Math.abs((levels?.signalDbm0 ?? 0) - talkDbm0)).toBeLessThan(1);
      expect(Math.abs((levels?.noiseDbm0 ?? 0) - noiseDbm0)).toBeLessThan(1);
      // Twenty seconds have 13 spurts and a third of one.
      expect(levels?.pauses).toBe(13);
      expect(Math.abs((levels?.meanPauseMs ?? 0) - 500)).toBeLessThanOrEqual(30);
      expect(Math.abs((levels?.talkMs ?? 0) - 13_500)).toBeLessThanOrEqual(300);
    }
  });

  test('nobody speaks: no signal, whatever the noise', () => {
    const silence = listen(new Uint8Array(12 * 8000).fill(0xff), 'ulaw').levels();
    expect(silence).toMatchObject({ signalDbm0: null, noiseDbm0: -90, talkMs: 0 });
    const hiss = listen(ulaw(noise(-60, 12, 9)), 'ulaw').levels();
    expect(hiss?.signalDbm0).toBeNull();
    expect(Math.abs((hiss?.noiseDbm0 ?? 0) + 60)).toBeLessThan(1);
  });

  test.each([40, 33, 240])('packets of %i samples have the same levels', (samples) => {
    const codes = ulaw(mixed(babble(-20, 20, 3), noise(-55, 20, 5)));
    const levels = listen(codes, 'ulaw', new Set(), samples).levels();
    expect(Math.abs((levels?.signalDbm0 ?? 0) + 20)).toBeLessThan(1);
    expect(Math.abs((levels?.noiseDbm0 ?? 0) + 55)).toBeLessThan(1);
    expect(Math.abs((levels?.talkMs ?? 0) - 13_500)).toBeLessThanOrEqual(300);
    expect(Math.abs((levels?.audioMs ?? 0) - 20_000)).toBeLessThanOrEqual(60);
  });

  test('what is lost changes no level', () => {
    const codes = ulaw(mixed(babble(-20, 20, 3), noise(-55, 20, 5)));
    const lost = new Set(Array.from({ length: 1000 }, (_, n) => n).filter((n) => n % 11 === 3 || n % 37 === 5));
    const levels = listen(codes, 'ulaw', lost).levels();
    expect(Math.abs((levels?.signalDbm0 ?? 0) + 20)).toBeLessThan(1);
    expect(Math.abs((levels?.noiseDbm0 ?? 0) + 55)).toBeLessThan(1);
  });

  test('a talker who is cut off at full scale is clipped; a tone that just fits is not', () => {
    const clipped = listen(ulaw(tone(12, 300, 2)), 'ulaw').levels();
    // Its peak is 90,900; the greatest code begins at 31,612: 1 - 2/π · arcsin(31,612 / 90,900) of its time.
    expect(Math.abs((clipped?.clippedPercent ?? 0) - 77.4)).toBeLessThan(2);
    expect(listen(ulaw(tone(3, 300, 2)), 'ulaw').levels()?.clippedPercent).toBe(0);
  });

  test('SRTP is not taken for audio: its packets are longer than their time', () => {
    const audio = new StreamAudio();
    const bytes = Uint8Array.from(noise(0, 1, 4), (value) => value & 0xff);
    for (let n = 0; n < 100; n += 1) audio.take({ bytes, from: 0, to: 170, codec: 'ulaw' }, n, n * 160, n * 20);
    expect(audio.levels()).toBeNull();
    const whole = new StreamAudio();
    for (let n = 0; n < 100; n += 1) whole.take({ bytes, from: 0, to: 160, codec: 'ulaw' }, n, n * 160, n * 20);
    expect(whole.levels()).not.toBeNull();
  });

  test('copies and packets that come too late are heard once', () => {
    const codes = ulaw(mixed(babble(-20, 10, 3), noise(-55, 10, 5)));
    const audio = new StreamAudio();
    for (let n = 0; n < 500; n += 1) {
      for (const sequence of [n, n, Math.max(0, n - 3)]) {
        const from = sequence * 160;
        audio.take({ bytes: codes, from, to: from + 160, codec: 'ulaw' }, sequence, from, n * 20);
      }
    }
    expect(audio.levels()?.audioMs).toBe(10_000);
  });
});

function takePacket(audio: CallAudio, to: TrackedStream, codes: Uint8Array, n: number, payloadType = 0): void {
  const bytes = new Uint8Array(RTP_BYTES + codes.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 0x80);
  view.setUint16(2, n);
  view.setUint32(4, n * PACKET_SAMPLES);
  bytes.set(codes, RTP_BYTES);
  const datagram = { payloadStart: 0, payloadEnd: bytes.length, payloadBytes: bytes.length } as DatagramReader;
  audio.take(to, payloadType, view, datagram, n * 20);
}

/** Two streams between two phones, packet by packet in turn, as a capture has them. */
class Duplex {
  readonly #audio: CallAudio;
  readonly #one = stream('10.0.0.1:4000', '10.0.0.2:5000');
  readonly #other = stream('10.0.0.2:5000', '10.0.0.1:4000');

  constructor(
    sent: Float64Array,
    returned: Float64Array,
    audio = new CallAudio({ mostStreams: 10, enoughMs: 30_000, enoughOfAllMs: 60_000 }),
  ) {
    this.#audio = audio;
    this.#audio.add(this.#one);
    this.#audio.add(this.#other);
    const [forth, back] = [ulaw(sent), ulaw(returned)];
    for (let n = 0; (n + 1) * PACKET_SAMPLES <= forth.length; n += 1) {
      const part = (codes: Uint8Array): Uint8Array => codes.subarray(n * PACKET_SAMPLES, (n + 1) * PACKET_SAMPLES);
      takePacket(audio, this.#one, part(forth), n);
      takePacket(audio, this.#other, part(back), n);
    }
  }

  get returned(): CapturedAudio | null {
    return this.#audio.audioOf(this.#other);
  }

  get sent(): CapturedAudio | null {
    return this.#audio.audioOf(this.#one);
  }
}

function stream(source: string, destination: string): TrackedStream {
  return { source, destination } as TrackedStream;
}

describe('echo', () => {
  test.each([
    [180, 26],
    [40, 12],
    [400, 20],
  ])('%i ms late and %i dB quieter, under another who speaks at the same time', (ms, lossDb) => {
    const talk = babble(-18, 16, 11);
    const other = babble(-24, 16, 12, 0.7, 1.1);
    const { returned, sent } = new Duplex(talk, mixed(delayed(talk, ms, -lossDb), other, noise(-60, 16, 13)));
    expect(Math.abs((returned?.echo?.delayMs ?? 0) - ms)).toBeLessThanOrEqual(2);
    expect(Math.abs((returned?.echo?.returnLossDb ?? 0) - lossDb)).toBeLessThanOrEqual(1);
    expect(sent?.echo).toBeNull();
  });

  test('two who only talk with each other have none, and neither has a tone, whose delay is anyone’s guess', () => {
    const apart = new Duplex(babble(-18, 16, 21), mixed(babble(-20, 16, 22, 0.6, 0.9), noise(-60, 16, 23)));
    expect([apart.sent?.echo, apart.returned?.echo]).toEqual([null, null]);
    const tones = new Duplex(tone(-15, 440, 10), delayed(tone(-15, 440, 10), 100, -10));
    expect([tones.sent?.echo, tones.returned?.echo]).toEqual([null, null]);
  });

  test('of a second of talk nothing is said', () => {
    const talk = babble(-18, 1, 31);
    expect(new Duplex(talk, delayed(talk, 100, -10)).returned?.echo).toBeNull();
  });
});

/** Streams that take a place among the calls of which echoes are looked for, if they are let. */
function crowd(audio: CallAudio, calls: number, payloadType: number, packets: number): void {
  for (let n = 0; n < calls; n += 1) {
    const ends = [`10.1.0.${n}:4000`, `10.1.1.${n}:5000`] as const;
    const [forth, back] = [stream(ends[0], ends[1]), stream(ends[1], ends[0])];
    audio.add(forth);
    audio.add(back);
    for (let packet = 0; packet < packets; packet += 1) {
      for (const one of [forth, back]) takePacket(audio, one, ulaw(new Float64Array(160)), packet, payloadType);
    }
  }
}

test.each([
  ['that cannot be read', 96, 20, 100],
  // They are given up after 40 half seconds.
  ['in which nobody speaks', 0, 4, 1200],
])('an echo is found behind calls %s', (_, payloadType, calls, packets) => {
  const audio = new CallAudio({ mostStreams: 1000, enoughMs: Number.POSITIVE_INFINITY, enoughOfAllMs: 1e9 });
  crowd(audio, calls, payloadType, packets);
  const talk = babble(-18, 16, 11);
  const { returned } = new Duplex(talk, mixed(delayed(talk, 180, -20), noise(-60, 16, 13)), audio);
  expect(Math.abs((returned?.echo?.delayMs ?? 0) - 180)).toBeLessThanOrEqual(2);
});

test('what is told of odd lengths is whole milliseconds', () => {
  const levels = listen(ulaw(babble(-20, 4, 3)), 'ulaw', new Set(), 33).levels();
  if (levels === null) throw new Error('nothing was heard');
  const told = audioToJson({ levels, echo: null });
  expect([Number.isInteger(told.looked_at_ms), Number.isInteger(told.talk_ms)]).toEqual([true, true]);
  expect(told.looked_at_ms).toBeGreaterThan(3900);
});

describe('findings', () => {
  const levels = {
    signalDbm0: -20,
    noiseDbm0: -60,
    audioMs: 60_000,
    talkMs: 20_000,
    pauses: 9,
    meanPauseMs: 900,
    clippedPercent: 0,
  } as const;

  test.each([
    [{}, []],
    [{ signalDbm0: -37 }, ['too-quiet']],
    [{ signalDbm0: -8 }, ['too-loud']],
    [{ noiseDbm0: -44 }, ['noisy']],
    [{ signalDbm0: -35, noiseDbm0: -48 }, ['noisy']],
    [{ clippedPercent: 0.2 }, ['clipped']],
    [{ signalDbm0: null, talkMs: 0 }, ['silent']],
    [{ signalDbm0: null, talkMs: 0, audioMs: 9000 }, []],
  ])('%j: %j', (change, findings) => {
    expect(audioFindings({ levels: { ...levels, ...change }, echo: null })).toEqual(findings);
  });

  test('an echo counts from 25 ms on and above 40 dB of loss not any more', () => {
    const found = (delayMs: number, returnLossDb: number): readonly string[] =>
      audioFindings({ levels, echo: { delayMs, returnLossDb } });
    expect([found(24, 20), found(25, 39), found(300, 41)]).toEqual([[], ['echo'], []]);
    expect(findingWords({ levels, echo: { delayMs: 120.4, returnLossDb: 19.8 } })).toEqual([
      'an echo of what it gets (120 ms later, 20 dB quieter)',
    ]);
  });

  test('two stretches add up by their power and time', () => {
    const sumOf = addAudio(
      { levels, echo: null },
      { levels: { ...levels, signalDbm0: -10, talkMs: 60_000, audioMs: 60_000 }, echo: null },
    );
    // (0.01 · 20 s + 0.1 · 60 s) / 80 s is 0.0775.
    expect(sumOf?.levels.signalDbm0).toBeCloseTo(-11.107, 3);
    expect(sumOf?.levels).toMatchObject({ audioMs: 120_000, talkMs: 80_000, pauses: 18, meanPauseMs: 900 });
    expect(addAudio(null, { levels, echo: null })?.levels).toEqual(levels);
  });
});
