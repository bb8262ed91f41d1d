import { createHash } from 'node:crypto';
import { gunzip } from 'node:zlib';
import { promisify } from 'node:util';
import { Decrypter } from 'age-encryption';
import type { Store, StoredFile } from '../collector/store.ts';
import { checkDocument, MeasurementError } from '../format/check.ts';
import type { MeasurementDocument } from '../format/document.ts';
import { joinSegments } from '../format/join.ts';
import { MOST_FILE_BYTES, splitSegments } from '../format/segments.ts';
import { DELETION_TOKEN, tokenHash } from '../installation.ts';
import type { StudyDatabase } from './database.ts';

/** A document has at most 20 kB; a larger one is hostile. */
const MOST_PLAIN_BYTES = 262_144;
const unzip = promisify(gunzip);

export interface OpenOutcome {
  readonly loaded: number;
  /** Files that were loaded before. */
  readonly known: number;
  /** Files with the same bytes under another name. */
  readonly doubles: number;
  /** Files whose senders want them deleted. */
  readonly deleted: readonly string[];
  /** Files with an unfinished end; their whole segments are loaded. */
  readonly cut: readonly string[];
  /** Files that were not loaded, and why. */
  readonly skipped: readonly { readonly name: string; readonly why: string }[];
}

/** The identities in a file of `age-keygen`. Throws an Error of one sentence when there are none. */
export function identitiesIn(text: string, path: string): string[] {
  const identities = text.split(/\r?\n/).filter((line) => line.startsWith('AGE-SECRET-KEY-1'));
  if (identities.length === 0)
    throw new Error(`${path} holds no private key of age (AGE-SECRET-KEY-1…); name the file that age-keygen wrote`);
  return identities.map((line) => line.trim());
}

/**
 * Loads the files of a store into a study: first the wishes to delete, then every new file. Strangers wrote the files, so a bad
 * one never stops the others. Can be repeated.
 */
export async function openAll(
  store: Store,
  identities: readonly string[],
  database: StudyDatabase,
  onProgress: (files: number) => void = () => undefined,
): Promise<OpenOutcome> {
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  const files: StoredFile[] = [];
  const outcome = {
    loaded: 0,
    known: 0,
    doubles: 0,
    deleted: [] as string[],
    cut: [] as string[],
    skipped: [] as { name: string; why: string }[],
  };
  for await (const file of store.list()) {
    if (!file.key.endsWith('.token')) files.push(file);
    else if (file.bytes <= 64) {
      const token = (await store.get(file.key)).toString().trim();
      if (DELETION_TOKEN.test(token)) outcome.deleted.push(...database.forget(tokenHash(token)));
    }
  }
  for (const [index, { key, bytes }] of files.entries()) {
    onProgress(index + 1);
    if (database.hasFile(key)) {
      outcome.known += 1;
      continue;
    }
    try {
      if (bytes > MOST_FILE_BYTES) throw new MeasurementError('it is larger than any measurement');
      const file = await store.get(key);
      const { document, isCut } = await openFile(file, decrypter);
      const became = database.load({ name: key, digest: createHash('sha256').update(file).digest('hex') }, document);
      if (became === 'loaded') outcome.loaded += 1;
      else if (became === 'double') outcome.doubles += 1;
      else outcome.deleted.push(key);
      if (isCut) outcome.cut.push(key);
    } catch (error) {
      // A bad file is reported and skipped. Only a failing database or store ends the work.
      if (!(error instanceof MeasurementError)) throw error;
      outcome.skipped.push({ name: key, why: error.message });
    }
  }
  return outcome;
}

/** Decrypts and checks one file. Throws MeasurementError. */
export async function openFile(
  file: Uint8Array,
  decrypter: Decrypter,
): Promise<{ readonly document: MeasurementDocument; readonly isCut: boolean }> {
  const { segments, tornBytes } = splitSegments(file);
  if (segments.length === 0)
    throw new MeasurementError('it is no measurement, or cut before the first segment was whole');
  const documents: MeasurementDocument[] = [];
  for (const segment of segments) documents.push(checkDocument(await plainOf(segment, decrypter)));
  return { document: joinSegments(documents), isCut: tornBytes > 0 };
}

async function plainOf(segment: Uint8Array, decrypter: Decrypter): Promise<unknown> {
  let zipped: Uint8Array;
  try {
    zipped = await decrypter.decrypt(new Uint8Array(segment));
  } catch (error) {
    const isForOthers = error instanceof Error && error.message.startsWith('no identity matched');
    throw new MeasurementError(isForOthers ? 'it is encrypted for somebody else' : 'it was cut or changed on the way');
  }
  try {
    return JSON.parse((await unzip(zipped, { maxOutputLength: MOST_PLAIN_BYTES })).toString());
  } catch {
    throw new MeasurementError('what is in it is no gzip of JSON, or too large');
  }
}
