import type { Writable } from 'node:stream';

/** Holds back what is written to the socket until this turn of the event loop is over: then all of it goes out in one system call. */
export function corkForTurn(socket: Writable): void {
  if (socket.writableCorked > 0) return;
  socket.cork();
  process.nextTick(() => socket.uncork());
}
