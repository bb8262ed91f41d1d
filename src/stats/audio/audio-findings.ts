import type { AudioFinding, CapturedAudio } from '../../model/capture.ts';

/** Bounds of our own. A talker's usual level is about -20 dBm0 (ITU-T P.56 and G.168 test with -10 to -30). */
const QUIET_BELOW_DBM0 = -36;
const LOUD_ABOVE_DBM0 = -9;
const NOISY_ABOVE_DBM0 = -45;
const NOISY_WITHIN_DB = 15;
const CLIPPED_FROM_PERCENT = 0.1;
/** Nobody is disturbed by an echo that is quicker or much quieter than this (ITU-T G.131 asks for echo control from 25 ms on). */
const ECHO_FROM_MS = 25;
const ECHO_BELOW_DB = 40;
/** A direction without speech for this long counts as silent. */
const SILENT_FROM_MS = 10_000;

/** What a listener would notice as wrong with a direction's audio. It is shown beside the verdict and never changes it. */
export function audioFindings({ levels, echo }: CapturedAudio): readonly AudioFinding[] {
  const { signalDbm0, noiseDbm0, audioMs, talkMs, clippedPercent } = levels;
  const isNoisy =
    noiseDbm0 !== null &&
    (noiseDbm0 > NOISY_ABOVE_DBM0 || (signalDbm0 !== null && signalDbm0 - noiseDbm0 < NOISY_WITHIN_DB));
  const found: readonly (readonly [AudioFinding, boolean])[] = [
    ['silent', talkMs === 0 && audioMs >= SILENT_FROM_MS],
    ['too-quiet', signalDbm0 !== null && signalDbm0 < QUIET_BELOW_DBM0],
    ['too-loud', signalDbm0 !== null && signalDbm0 > LOUD_ABOVE_DBM0],
    ['clipped', clippedPercent >= CLIPPED_FROM_PERCENT],
    ['noisy', isNoisy],
    ['echo', echo !== null && echo.delayMs >= ECHO_FROM_MS && echo.returnLossDb < ECHO_BELOW_DB],
  ];
  return found.flatMap(([finding, isTrue]) => (isTrue ? [finding] : []));
}

/** The findings as parts of a sentence, such as `too quiet (-39 dBm0)`; empty: nothing is wrong, or nobody measured it. */
export function findingWords(audio: CapturedAudio | null): readonly string[] {
  return audio === null ? [] : audioFindings(audio).map((finding) => words(finding, audio));
}

function words(finding: AudioFinding, { levels, echo }: CapturedAudio): string {
  const dbm0 = (value: number | null): string => (value === null ? '' : ` (${value.toFixed(0)} dBm0)`);
  switch (finding) {
    case 'silent':
      return 'nobody speaks';
    case 'too-quiet':
      return `too quiet${dbm0(levels.signalDbm0)}`;
    case 'too-loud':
      return `too loud${dbm0(levels.signalDbm0)}`;
    case 'clipped':
      return `clipped (${levels.clippedPercent.toFixed(1)} %)`;
    case 'noisy':
      return `noisy${dbm0(levels.noiseDbm0)}`;
    default:
      return `an echo of what it gets (${(echo?.delayMs ?? 0).toFixed(0)} ms later, ${(echo?.returnLossDb ?? 0).toFixed(0)} dB quieter)`;
  }
}
