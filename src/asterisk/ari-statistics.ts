import type { RtpCounters } from '../model/event.ts';
import { secondsToMs } from '../units/rtp.ts';
import { signedLostPackets } from '../wire/rtcp/rtcp-all.ts';

const MAX_UINT32 = 0xffff_ffff;

/**
 * Reads the answer of ARI's `GET /channels/{id}/rtp_statistics`.
 * Counts are cumulative; losses as of the last RTCP report. ARI prints jitter in seconds. `local_*` is what we
 * measured of the audio we received; the plain `rxjitter` is not, despite its name.
 * Undefined for any other answer. A field without meaning (no packet received, no report from the far end) is left out.
 */
export function readRtpStatistics(body: unknown): RtpCounters | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const fields = body as Readonly<Record<string, unknown>>;
  const rxPackets = count(fields['rxcount']);
  const txPackets = count(fields['txcount']);
  if (rxPackets === undefined && txPackets === undefined) return undefined;
  const received = rxPackets !== undefined && rxPackets > 0;
  return dropUndefined({
    rxPackets,
    rxLostPackets: lost(fields['rxploss']),
    txPackets,
    txLostPackets: farEndReported(fields) ? lost(fields['txploss']) : undefined,
    localSsrc: count(fields['local_ssrc']),
    remoteSsrc: count(fields['remote_ssrc']) || undefined,
    rxJitterMeanMs: received ? milliseconds(fields['local_normdevjitter']) : undefined,
    rxJitterStdevMs: received ? milliseconds(fields['local_stdevjitter']) : undefined,
  });
}

/** Whether the far end has reported. Otherwise all of these are 0, and so is the loss, which is then unknown. */
function farEndReported(fields: Readonly<Record<string, unknown>>): boolean {
  return ['txploss', 'rxjitter', 'rtt', 'rxmes', 'remote_maxjitter', 'remote_maxmes'].some((name) => {
    const value = fields[name];
    return typeof value === 'number' && value !== 0;
  });
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_UINT32 ? value : undefined;
}

function lost(value: unknown): number | undefined {
  if (typeof value !== 'number' || !Number.isInteger(value) || Math.abs(value) > MAX_UINT32) return undefined;
  return signedLostPackets(value);
}

function milliseconds(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? secondsToMs(value) : undefined;
}

type Known<T> = { readonly [Key in keyof T]?: Exclude<T[Key], undefined> };

function dropUndefined<T extends object>(values: T): Known<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Known<T>;
}
