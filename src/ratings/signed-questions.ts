import { createPublicKey, verify } from 'node:crypto';
import { z } from 'zod';
import { type PublishedQuestions, readPublishedQuestions } from './questions.ts';

/** The answer of `GET /v1/questions` of a collection server. */
export interface SignedQuestions {
  /** The JSON text of the questions. */
  readonly signed: string;
  /** Its Ed25519 signature, base64. */
  readonly signature: string;
  /** The public key (DER, base64) as the server gives it; null: it gives none. */
  readonly key: string | null;
}

/** Bound on the answer. A hundred of the longest questions take half of it. */
export const MOST_ANSWER_BYTES = 131_072;

const ANSWER = z.object({
  signed: z.string(),
  signature: z.string().regex(/^[\w+/]{86}==$/),
  key: z
    .string()
    .regex(/^MCowBQYDK2VwAyEA[\w+/]{43}=$/)
    .nullish(),
});

/** Reads the answer. Throws RangeError with one sentence. */
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

/** Checks the signature and reads the questions. Throws RangeError with one sentence when either is wrong. */
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
