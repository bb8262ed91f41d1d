import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Decrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { onTestFinished } from 'vitest';
import { splitSegments } from '../../../src/measurements/format/segments.ts';

export interface Keys {
  readonly identity: string;
  readonly recipient: string;
}

export async function newKeys(): Promise<Keys> {
  const identity = await generateX25519Identity();
  return { identity, recipient: await identityToRecipient(identity) };
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mes-measurements-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The JSON texts of the segments of a file, by age's own library. */
export async function opened(file: Uint8Array, identity: string): Promise<string[]> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  const texts: string[] = [];
  for (const segment of splitSegments(file).segments) {
    texts.push(gunzipSync(await decrypter.decrypt(new Uint8Array(segment))).toString());
  }
  return texts;
}

/** Files of a spool by their ends, `.live` or `.age`. */
export function filesOf(spool: string, end: string): string[] {
  return readdirSync(spool)
    .filter((name) => name.endsWith(end))
    .map((name) => join(spool, name));
}

export function readSpool(spool: string, end: string): Buffer[] {
  return filesOf(spool, end).map((path) => readFileSync(path));
}
