import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { activeSpeechLevelDbm0 } from '../lab/active-speech-level.ts';
import { spoken } from '../lab/espeak.ts';
import { g722 } from '../lab/g722.ts';
import { alaw, delayed, mixed, noise, tone, ulaw } from '../unit/capture/made-audio.ts';
import { ethernet, ipv4, pcap, rtp, udp } from '../unit/wire/packets.ts';

const RATE_HZ = 8000;
const WIDE_HZ = 16_000;
const PACKET = 160;
const PROGRAM = join(import.meta.dirname, '../../src/asterisk-mes.js');

const TEXTS = {
  en: 'Good morning. The train to the coast leaves at a quarter past seven from platform nine. Please mind the gap, and have your ticket ready. Children under six travel free of charge.',
  de: 'Guten Morgen. Der Zug an die Küste fährt um Viertel nach sieben von Gleis neun ab. Bitte halten Sie Ihre Fahrkarte bereit. Kinder unter sechs Jahren fahren kostenlos mit.',
} as const;

interface AnalyzedStream {
  readonly source: string;
  readonly voip_metrics: {
    readonly signal_level_dbm: number;
    readonly noise_level_dbm: number;
    readonly rerl_db: number | null;
  };
  readonly audio: { readonly echo_delay_ms: number | null } | null;
  readonly findings: readonly string[];
}

describe('speech of a program that nobody here wrote', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mes-speech-'));
  const speech: Record<string, Float64Array> = {};
  beforeAll(() => {
    for (const [voice, text] of Object.entries(TEXTS)) speech[voice] = spoken(text, voice);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** As loud as that by ITU-T P.56. */
  function at(dbm0: number, samples: Float64Array = new Float64Array(), rateHz = RATE_HZ): Float64Array {
    const gain = 10 ** ((dbm0 - activeSpeechLevelDbm0(samples, rateHz)) / 20);
    return samples.map((sample) => sample * gain);
  }

  /** What `analyze` says of two directions of a call. */
  function analyzed(forth: Uint8Array, back: Uint8Array, payloadType: 0 | 8 | 9): readonly AnalyzedStream[] {
    const packets = [];
    for (let n = 0; (n + 1) * PACKET <= forth.length; n += 1) {
      for (const [codes, port, ssrc] of [
        [forth, 5004, 0xa],
        [back, 6004, 0xb],
      ] as const) {
        const bytes = rtp({ sequence: 1000 + n, timestamp: n * PACKET, ssrc, payloadType, payloadBytes: PACKET });
        bytes.set(codes.subarray(n * PACKET, (n + 1) * PACKET), bytes.length - PACKET);
        const route =
          port === 5004 ? {} : { sourcePort: 6004, destinationPort: 5004, source: '10.0.0.2', destination: '10.0.0.1' };
        packets.push({ atMs: 20 * n, bytes: ethernet(ipv4(udp(bytes, route), route)) });
      }
    }
    const file = join(folder, 'call.pcap');
    writeFileSync(file, pcap(packets));
    const printed = execFileSync(process.execPath, [PROGRAM, 'analyze', file, '--json'], { maxBuffer: 50_000_000 });
    return (JSON.parse(printed.toString()) as { streams: AnalyzedStream[] }).streams;
  }

  test.each([
    ['en', 'ulaw', -20, -60],
    ['de', 'alaw', -26, -55],
    ['en', 'alaw', -34, -62],
  ] as const)('%s in %s, %i dBm0 by P.56, over noise of %i dBm0, is so within 1 dB', (voice, codec, talk, hiss) => {
    const said = at(talk, speech[voice]);
    const seconds = Math.floor(said.length / RATE_HZ);
    const line = mixed(said.subarray(0, seconds * RATE_HZ), noise(hiss, seconds, 17));
    const codes = codec === 'ulaw' ? ulaw(line) : alaw(line);
    const [stream] = analyzed(codes, codes.slice().fill(codec === 'ulaw' ? 0xff : 0xd5), codec === 'ulaw' ? 0 : 8);
    expect(Math.abs((stream?.voip_metrics.signal_level_dbm ?? 0) - talk)).toBeLessThanOrEqual(1);
    expect(Math.abs((stream?.voip_metrics.noise_level_dbm ?? 0) - hiss)).toBeLessThanOrEqual(1);
    expect(stream?.findings).toEqual([]);
  });

  test('so it is in G.722, up to 7 kHz', () => {
    const [talk, hiss] = [-24, -58];
    const said = at(talk, spoken(TEXTS.en, 'en', WIDE_HZ), WIDE_HZ);
    const seconds = Math.floor(said.length / WIDE_HZ);
    // White noise: as loud at any rate of samples.
    const line = mixed(said.subarray(0, seconds * WIDE_HZ), noise(hiss, 2 * seconds, 17));
    const [stream] = analyzed(g722(line), g722(new Float64Array(line.length)), 9);
    expect(Math.abs((stream?.voip_metrics.signal_level_dbm ?? 0) - talk)).toBeLessThanOrEqual(1);
    expect(Math.abs((stream?.voip_metrics.noise_level_dbm ?? 0) - hiss)).toBeLessThanOrEqual(1);
    expect(stream?.findings).toEqual([]);
  });

  test.each([
    [-40, -70, ['too-quiet']],
    [-20, -40, ['noisy']],
  ])('%i dBm0 over noise of %i dBm0 are findings: %j', (talk, hiss, findings) => {
    const said = at(talk, speech['en']).subarray(0, 8 * RATE_HZ);
    const [stream] = analyzed(alaw(mixed(said, noise(hiss, 8, 18))), alaw(said), 8);
    expect(stream?.findings).toEqual(findings);
  });

  test('an echo of one under the speech of the other has its delay within 2 ms and its loss within 1 dB', () => {
    const seconds = 8;
    const [said, answered] = [at(-18, speech['en']), at(-24, speech['de'])].map((samples) =>
      samples.subarray(0, seconds * RATE_HZ),
    ) as [Float64Array, Float64Array];
    const returned = mixed(answered, delayed(said, 140, -22), noise(-62, seconds, 19));
    const [forth, back] = analyzed(ulaw(said), ulaw(returned), 0);
    expect(Math.abs((back?.audio?.echo_delay_ms ?? 0) - 140)).toBeLessThanOrEqual(2);
    expect(Math.abs((back?.voip_metrics.rerl_db ?? 0) - 22)).toBeLessThanOrEqual(1);
    expect(back?.findings).toEqual(['echo']);
    expect(forth).toMatchObject({ findings: [], voip_metrics: { rerl_db: null }, audio: { echo_delay_ms: null } });
  });
});

test('the measure itself: a tone that never pauses has the level of the tone', () => {
  expect(Math.abs(activeSpeechLevelDbm0(tone(-17, 997, 5), RATE_HZ) + 17)).toBeLessThan(0.1);
});
