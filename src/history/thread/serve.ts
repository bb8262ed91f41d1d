import { parentPort } from 'node:worker_threads';
import { errorCode } from '../../model/errors/error-code.ts';
import type { Reply, Request } from './protocol.ts';
import { errorText } from '../../units/error-text.ts';

type Handlers<Methods> = {
  readonly [Name in keyof Methods]: Methods[Name];
};

/**
 * Answers the main thread's requests in this worker thread, one after the other.
 * What a handler throws becomes the reply; `close` runs before the thread ends.
 */
export function serve<Methods>(handlers: Handlers<Methods>, close: () => void): void {
  const port = parentPort;
  if (port === null) throw new Error('this file runs as a worker thread only');
  const methods = new Map(Object.entries(handlers)) as ReadonlyMap<string, (input: unknown) => unknown>;

  const answer = ({ id, method, input }: Request): Reply => {
    try {
      if (method === 'close') {
        close();
        return { id, result: null };
      }
      return { id, result: methods.get(method)?.(input) ?? null };
    } catch (error) {
      return { id, code: errorCode(error, ''), message: errorText(error) };
    }
  };

  port.on('message', (request: Request) => {
    port.postMessage(answer(request));
    if (request.method === 'close') port.close();
  });
}
