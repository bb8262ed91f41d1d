import type { StreamSummary } from '../../capture/streams/stream-summary.ts';
import { findingWords } from '../../stats/audio/audio-findings.ts';
import { wrapped } from '../terminal/words.ts';

const WIDTH = 80;
const INDENT = '  ';
/** Jitter that one hears of nothing. */
const CALM_JITTER_MS = 1;

/** A stream for people: which it is, and one sentence of what it went through, at most 80 columns wide. */
export function streamLines(stream: StreamSummary): string[] {
  const { source, destination, packetsReceived } = stream;
  const name = `${source} > ${destination}  ${codecsOf(stream)}, ${packetsReceived === 1 ? '1 packet' : `${packetsReceived} packets`}`;
  const told = [`${sentence(stream)}.`, ...(stream.clockNote === null ? [] : [stream.clockNote])].join(' ');
  return [...wrapped(name, WIDTH), ...wrapped(told, WIDTH, INDENT)];
}

/** Of each stretch, in their order. */
export function codecsOf({ segments, codec, payloadType }: StreamSummary): string {
  const names = segments.map((segment) => segment.format.codec ?? `type ${segment.payloadType}`);
  return names.length === 0 ? (codec ?? `type ${payloadType}`) : names.join(', ');
}

/** What is wrong comes first, then the jitter and what it all amounts to. */
function sentence(stream: StreamSummary): string {
  const { packetsLost, discarded, outOfOrder, audio, score } = stream;
  const wrong = [
    packetsLost > 0 ? loss(stream) : undefined,
    discarded !== null && discarded > 0
      ? `${percent(discarded / stream.packetsExpected)} came too late for the jitter buffer`
      : undefined,
    outOfOrder > 0 ? `${outOfOrder} out of order` : undefined,
    ...findingWords(audio),
  ].filter((part) => part !== undefined);
  const parts = [...(wrong.length === 0 ? ['nothing lost'] : wrong), jitter(stream)];
  const quality = score === null ? 'no MOS' : `MOS-LQ ${score.mosLq.toFixed(2)}, MOS-CQ ${score.mosCq.toFixed(2)}`;
  return capitalised(`${parts.join(', ')}; ${quality}`);
}

function loss({ voipMetrics, packetsLost }: StreamSummary): string {
  const { lossRatio, burstDurationMs } = voipMetrics;
  const lost = `${percent(lossRatio)} lost (${packetsLost} ${packetsLost === 1 ? 'packet' : 'packets'})`;
  return burstDurationMs === null || burstDurationMs === 0
    ? lost
    : `${lost} in bursts of ${burstDurationMs.toFixed(0)} ms on average`;
}

function jitter({ jitterMeanMs, jitterMaxMs }: StreamSummary): string {
  if (jitterMeanMs === null || jitterMaxMs === null) return 'jitter not known';
  if (jitterMaxMs < CALM_JITTER_MS) return `jitter below ${CALM_JITTER_MS} ms`;
  return `jitter ${jitterMeanMs.toFixed(1)} ms, at most ${jitterMaxMs.toFixed(1)} ms`;
}

function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(1)} %`;
}

function capitalised(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
