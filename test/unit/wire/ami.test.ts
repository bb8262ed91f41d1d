import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import {
  AmiParser,
  AmiValueError,
  encodeAmiAction,
  type EventLayout,
  MAX_MESSAGE_CHARACTERS,
} from '../../../src/wire/ami/ami.ts';
import { WholeEventLayout } from '../../../src/wire/ami/header-layout.ts';
import { messagesIn } from '../../lab/ami-messages.ts';

const TRANSCRIPT =
  'Asterisk Call Manager/9.0.0\r\n' +
  'Response: Success\r\nActionID: 1\r\nMessage: Authentication accepted\r\n\r\n' +
  'Event: Newchannel\r\nChannel: PJSIP/alice-00000001\r\nCallerIDName: Zoë <test>\r\nExten: \r\n\r\n' +
  'Event: Hangup\r\nUniqueid: 1700000000.1\r\nCause-txt: Normal: Clearing\r\n\r\n';

function eventNames(parser: AmiParser, chunks: Iterable<string>): (string | undefined)[] {
  const names: (string | undefined)[] = [];
  for (const chunk of chunks)
    for (const message of messagesIn(chunk, parser)) names.push(message.get('Event') ?? message.get('Response'));
  return names;
}

describe('AMI parser', () => {
  test('reads messages with their headers, the banner in front of the first', () => {
    const [response, newchannel, hangup] = messagesIn(TRANSCRIPT);
    expect(response?.get('Message')).toBe('Authentication accepted');
    expect(newchannel?.get('CallerIDName')).toBe('Zoë <test>');
    expect(newchannel?.get('Exten')).toBe('');
    expect(newchannel?.get('Exte')).toBeUndefined();
    expect(hangup?.get('Cause-txt')).toBe('Normal: Clearing');
    expect(hangup?.get('__proto__')).toBeUndefined();
  });

  test('gives the same messages however the text is cut', () => {
    for (let cut = 0; cut <= TRANSCRIPT.length; cut++) {
      const parser = new AmiParser();
      const names = eventNames(parser, [TRANSCRIPT.slice(0, cut), TRANSCRIPT.slice(cut)]);
      expect(names).toEqual(['Success', 'Newchannel', 'Hangup']);
    }
    expect(eventNames(new AmiParser(), TRANSCRIPT)).toEqual(['Success', 'Newchannel', 'Hangup']);
  });

  test('keeps the first of two headers with the same name', () => {
    const [message] = messagesIn('Event: X\r\nUniqueid: 1\r\nUniqueid: 2\r\n\r\n');
    expect(message?.get('Uniqueid')).toBe('1');
  });

  test('counts a block that is neither event nor response, and goes on', () => {
    const parser = new AmiParser();
    const names = eventNames(parser, ['%$§ garbage\r\n\r\n\r\n\r\nEvent: Hangup\r\n\r\n']);
    expect(names).toEqual(['Hangup']);
    expect(parser.counters).toEqual({ messages: 1, malformed: 1, oversized: 0 });
  });

  test('gives up what has no end, in bounded memory, and finds the next message', () => {
    const parser = new AmiParser();
    const flood = 'x'.repeat(100_000);
    const names = eventNames(
      parser,
      Array.from({ length: 100 }, () => flood),
    );
    expect(names).toEqual([]);
    expect(eventNames(parser, ['\r\n\r\nEvent: Hangup\r\n\r\n'])).toEqual(['Hangup']);
    expect(parser.counters).toEqual({ messages: 1, malformed: 0, oversized: 1 });
  });

  test('an oversized block that ends within one chunk is given up as well', () => {
    const parser = new AmiParser();
    const names = eventNames(parser, [
      `Event: Big\r\nX: ${'y'.repeat(MAX_MESSAGE_CHARACTERS)}\r\n\r\nEvent: Hangup\r\n\r\n`,
    ]);
    expect(names).toEqual(['Hangup']);
    expect(parser.counters.oversized).toBe(1);
  });

  test('never throws, whatever the bytes, and understands a whole message that follows garbage', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 10 }), (garbage) => {
        const parser = new AmiParser();
        eventNames(
          parser,
          garbage.map((chunk) => Buffer.from(chunk).toString()),
        );
        const after = eventNames(parser, ['\r\n\r\nEvent: Hangup\r\n\r\n']);
        expect(after.at(-1)).toBe('Hangup');
      }),
    );
  });
});

/** Recognised are those with these two headers and no others. */
const LAYOUT = new WholeEventLayout(['Often'], ['Channel', '- State']);

const BLOCKS = [
  'Event: Often\r\nChannel: a\r\nState: 6',
  'Event: Often\r\nChannel: \r\nState: ',
  'Event: Often\r\nState: 6\r\nChannel: a',
  'Event: Often\r\nChannel: a\r\nState: 6\r\nMore: 1',
  'Event: Often\r\nChannel: a\nb\r\nState: 6\r\n',
  'Event: Often\r\nChannel: a\rb\r\nState: 6',
  `Event: Often\r\nChannel: ${'a'.repeat(MAX_MESSAGE_CHARACTERS)}\r\nState: 6`,
  'Event: Seldom\r\nChannel: a\r\nState: 6',
  'Response: Success',
  '%$§ garbage',
  '',
];

describe('AMI parser that is given a layout', () => {
  function read(parser: AmiParser, chunks: readonly string[]): unknown[] {
    const messages = chunks.flatMap((chunk) => messagesIn(chunk, parser));
    const found = messages.map((message) => [message.event, message.get('Channel'), message.get('State')]);
    return [...found, parser.counters];
  }

  test('gives the messages that it gives without, in pieces of any size', () => {
    const someBlocks = fc.array(fc.constantFrom(...BLOCKS), { maxLength: 8 });
    const cuts = fc.array(fc.nat({ max: 300 }), { maxLength: 6 });
    fc.assert(
      fc.property(someBlocks, cuts, (blocks, places) => {
        const text = blocks.map((block) => `${block}\r\n\r\n`).join('');
        const ordered = [0, ...places.toSorted((a, b) => a - b)];
        const chunks = ordered.map((from, index) => text.slice(from, ordered[index + 1]));
        expect(read(new AmiParser(LAYOUT), chunks)).toEqual(read(new AmiParser(), chunks));
      }),
    );
  });

  test('recognises an event in one piece, cut anywhere, and behind anything', () => {
    const [often = '', , , , , , tooLong = '', seldom = ''] = BLOCKS;
    for (const before of ['', 'Asterisk Call Manager/9.0.0\r\n\r\n', `${seldom}\r\n\r\n`, `${tooLong}\r\n\r\n`]) {
      const text = `${before}${often}\r\n\r\n`;
      for (let cut = before.length; cut <= text.length; cut++) {
        const parser = new AmiParser(LAYOUT);
        const last = [text.slice(0, cut), text.slice(cut)].flatMap((part) => messagesIn(part, parser)).at(-1);
        expect(last?.matchOf(LAYOUT)?.[LAYOUT.places.Channel]).toBe('a');
      }
    }
  });

  test('does not read an event that does not end again with each piece of it', () => {
    const matchAt = vi.fn<EventLayout['matchAt']>((text, from) => LAYOUT.matchAt(text, from));
    const parser = new AmiParser({ matchAt });
    const text = `Event: Often\r\nChannel: ${'a'.repeat(1000)}\r\nState: 6\r\n\r\n`;
    for (const character of text) messagesIn(character, parser);
    expect(parser.counters.messages).toBe(1);
    // Once when it is whole, and once of what comes behind it.
    expect(matchAt.mock.calls.length).toBe(2);
  });
});

describe('AMI action', () => {
  test('is lines that end with an empty one', () => {
    const text = encodeAmiAction([
      ['Action', 'Ping'],
      ['ActionID', '7'],
    ]);
    expect(text).toBe('Action: Ping\r\nActionID: 7\r\n\r\n');
  });

  test.each(['a\r\nAction: Command', 'a\nb', 'a\rb', 'a\0b'])(
    'refuses a value that breaks out of its line: %j',
    (value) => {
      expect(() => encodeAmiAction([['Value', value]])).toThrow(AmiValueError);
      expect(() => encodeAmiAction([[value, 'x']])).toThrow(/cannot be sent to Asterisk/);
    },
  );
});
