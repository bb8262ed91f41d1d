import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AmiParser, AmiValueError, encodeAmiAction, MAX_MESSAGE_CHARACTERS } from '../../../src/wire/ami.ts';

const TRANSCRIPT =
  'Asterisk Call Manager/9.0.0\r\n' +
  'Response: Success\r\nActionID: 1\r\nMessage: Authentication accepted\r\n\r\n' +
  'Event: Newchannel\r\nChannel: PJSIP/alice-00000001\r\nCallerIDName: Zoë <test>\r\nExten: \r\n\r\n' +
  'Event: Hangup\r\nUniqueid: 1700000000.1\r\nCause-txt: Normal: Clearing\r\n\r\n';

function eventNames(parser: AmiParser, chunks: Iterable<string>): (string | undefined)[] {
  const names: (string | undefined)[] = [];
  for (const chunk of chunks)
    for (const message of parser.push(chunk)) names.push(message.get('Event') ?? message.get('Response'));
  return names;
}

describe('AMI parser', () => {
  test('reads messages with their headers, the banner in front of the first', () => {
    const [response, newchannel, hangup] = new AmiParser().push(TRANSCRIPT);
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
    const [message] = new AmiParser().push('Event: X\r\nUniqueid: 1\r\nUniqueid: 2\r\n\r\n');
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
