import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { errorCode } from '../model/errors/error-code.ts';

/** Writes to standard output as fast as it is read. A reader that leaves early (`| head`) is no error. */
export async function writeOut(parts: Iterable<string>): Promise<void> {
  try {
    await pipeline(Readable.from(parts), process.stdout, { end: false });
  } catch (error) {
    if (errorCode(error) !== 'EPIPE') throw error;
  }
}
