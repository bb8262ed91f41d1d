import { parentPort } from 'node:worker_threads';
import { errorCode } from '../../model/errors/error-code.ts';
import { parted } from './parts.ts';
import type { Reply, Request } from './protocol.ts';
import { errorText } from '../../units/error-text.ts';

type Handlers<Methods> = {
  readonly [Name in keyof Methods]: Methods[Name];
};

/**
 * Answers the main thread's requests in this worker thread, one after the other.
 * A long answer goes in parts, each when it is asked for. What a handler throws becomes the reply; `close` runs before the thread ends.
 */
export function serve<Methods>(handlers: Handlers<Methods>, close: () => void): void {
  const port = parentPort;
  if (port === null) throw new Error('this file runs as a worker thread only');
  const methods = new Map(Object.entries(handlers)) as ReadonlyMap<string, (input: unknown) => unknown>;

  /** What is left of long answers, by the ids of their requests. */
  const unsent = new Map<unknown, (readonly unknown[])[]>();

  const answer = ({ id, method, input }: Request): Reply => {
    try {
      if (method === 'close') {
        close();
        return { id, result: null, left: 0 };
      }
      if (method === 'more') {
        const parts = unsent.get(input);
        const result = parts?.shift();
        if (parts === undefined) throw new Error('the thread was started anew in the middle of an answer');
        if (parts.length === 0) unsent.delete(input);
        return { id, result, left: parts.length };
      }
      const { first, rest } = parted(methods.get(method)?.(input) ?? null);
      if (rest.length > 0) unsent.set(id, [...rest]);
      return { id, result: first, left: rest.length };
    } catch (error) {
      return { id, code: errorCode(error, ''), message: errorText(error) };
    }
  };

  port.on('message', (request: Request) => {
    port.postMessage(answer(request));
    if (request.method === 'close') port.close();
  });
}
