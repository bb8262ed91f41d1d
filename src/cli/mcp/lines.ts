/** A message is some hundred bytes; whoever sends more at once without an end is not a client of ours. */
const LONGEST_LINE_BYTES = 1_000_000;

/**
 * The lines of a stream, one after the other: what comes meanwhile waits in the sender's pipe. Throws when a line is too long
 * to be a message.
 */
export async function* linesOf(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let rest = Buffer.alloc(0);
  for await (const chunk of stream) {
    rest = Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
      yield rest.subarray(0, end).toString().replace(/\r$/, '');
      rest = rest.subarray(end + 1);
    }
    if (rest.length > LONGEST_LINE_BYTES) throw new Error('a line of more than a megabyte came in; messages are short');
  }
  if (rest.length > 0) yield rest.toString();
}
