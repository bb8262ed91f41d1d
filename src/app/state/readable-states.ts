import { readResume } from '../../calls/again/resume.ts';
import type { History } from '../../history/history.ts';
import type { ResumableChannel } from '../../model/ports.ts';

/** The stored states of calls that were up. Where a state cannot be read, all reports of its channel take its place. */
export async function readableStates(history: History): Promise<ResumableChannel[]> {
  const resumable = await history.resumable();
  const unreadable = resumable
    .filter(({ channel, resume }) => resume === null || readResume(resume, channel.uniqueid) === undefined)
    .map(({ channel }) => channel.uniqueid);
  return unreadable.length === 0 ? resumable : history.resumable(unreadable);
}
