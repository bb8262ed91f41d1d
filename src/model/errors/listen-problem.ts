import { errorCode } from './error-code.ts';

const SENTENCES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'something else listens there',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'only root may listen on so low a port',
};

/** Why a port cannot be opened: words for Node's usual error codes, the code otherwise. */
export function listenProblem(error: unknown): string {
  const code = errorCode(error);
  return SENTENCES[code] ?? code;
}
