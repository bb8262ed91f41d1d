import { type AmiMessage, AmiParser } from '../../src/wire/ami/ami.ts';
import { RTCP_EVENT } from '../../src/wire/ami/ami-rtcp.ts';

/** The messages that a text completes, in order; the parser is the one that the sidecar uses, unless another is given. */
export function messagesIn(text: string, parser = new AmiParser(RTCP_EVENT)): AmiMessage[] {
  const messages: AmiMessage[] = [];
  parser.push(text, (message) => messages.push(message));
  return messages;
}
