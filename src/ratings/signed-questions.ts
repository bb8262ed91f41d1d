import { createPublicKey, verify } from 'node:crypto';
import { z } from 'zod';
import { type PublishedQuestions, readPublishedQuestions } from './questions.ts';

/** As `GET /v1/questions` of a collection server answers. */
export interface SignedQuestions {
  /** The JSON text of the questions. */
  readonly signed: string;
  /** Its Ed25519 signature, base64. */
  readonly signature: string;
  /** The public key that belongs to it (DER, base64), as the server says; null: it does not. */
  readonly key: string | null;
}

/** A hundred questions of the longest kind take half of it. */
export const MOST_ANSWER_BYTES = 131_072;

const ANSWER = z.object({
  signed: z.string(),
  signature: z.string().regex(/^[\w+/]{86}==$/),
  key: z
    .string()
    .regex(/^MCowBQYDK2VwAyEA[\w+/]{43}=$/)
    .nullish(),
});

/** Throws RangeError with one sentence. */
export function parseAnswer(source: string, text: string): SignedQuestions {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw new RangeError(`${source}: this is no JSON`);
  }
  const read = ANSWER.safeParse(content);
  if (!read.success) throw new RangeError(`${source}: these are no signed questions`);
  const { signed, signature, key = null } = read.data;
  return { signed, signature, key };
}

/** Throws RangeError with one sentence when it is not signed with `key`, or not made of questions. */
export function openSigned(source: string, { signed, signature }: SignedQuestions, key: string): PublishedQuestions {
  if (!isSignedBy(signed, signature, key))
    throw new RangeError(`${source}: the questions are not signed with the key ${key}`);
  return readPublishedQuestions(source, signed);
}

function isSignedBy(signed: string, signature: string, key: string): boolean {
  try {
    const publicKey = createPublicKey({ key: Buffer.from(key, 'base64'), format: 'der', type: 'spki' });
    return verify(null, Buffer.from(signed), publicKey, Buffer.from(signature, 'base64'));
  } catch {
    return false;
  }
}
