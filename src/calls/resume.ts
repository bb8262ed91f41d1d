import type { ChannelState } from './channel-state.ts';

/** Raised whenever the shape of ChannelState changes, so that no old state is mistaken for a new one. */
const RESUME_FORMAT = 8;

/** A channel's state as text, to be stored and gone on with after a restart. */
export function writeResume(state: ChannelState): string {
  return JSON.stringify({ format: RESUME_FORMAT, state });
}

/** The state back; undefined when it is of another format or not such a text. */
export function readResume(text: string, uniqueid: string): ChannelState | undefined {
  let stored: unknown;
  try {
    stored = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof stored !== 'object' || stored === null) return undefined;
  const { format, state } = stored as { format?: unknown; state?: ChannelState };
  return format === RESUME_FORMAT && state?.uniqueid === uniqueid ? state : undefined;
}
