import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { AmiMessage, AmiParser } from '../../../src/wire/ami/ami.ts';
import { readPbxEvent } from '../../../src/wire/ami/ami-event.ts';
import { HeaderLayout, WholeEventLayout } from '../../../src/wire/ami/header-layout.ts';
import { messagesIn } from '../../lab/ami-messages.ts';
import { goldenNames } from '../golden.ts';

const LAYOUT = new WholeEventLayout(['X', 'Y'], ['Channel', '- Language', ['RTT'], ['SentNTP', 'SentRTP'], 'Exten']);
const AT = LAYOUT.places;

function printed(lines: readonly string[]): string {
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function valuesOf(lines: readonly string[]): (string | undefined)[] {
  const [message, ...others] = messagesIn(printed(lines), new AmiParser(LAYOUT));
  if (message === undefined || others.length > 0) throw new Error('not one message');
  const values = LAYOUT.read(message);
  return [AT.Channel, AT.RTT, AT.SentNTP, AT.SentRTP, AT.Exten].map((place) => values[place]);
}

function isRecognised(lines: readonly string[]): boolean {
  return messagesIn(printed(lines), new AmiParser(LAYOUT))[0]?.matchOf(LAYOUT) !== undefined;
}

const PRINTED = ['Event: X', 'Channel: PJSIP/a-1', 'Language: en', 'RTT: 0.1', 'SentNTP: 5.0', 'SentRTP: 8', 'Exten: '];

describe('a layout of a whole event', () => {
  test('has each value at its place, those too that are not printed', () => {
    expect(valuesOf(PRINTED)).toEqual(['PJSIP/a-1', '0.1', '5.0', '8', '']);
    const without = (...names: string[]): string[] =>
      PRINTED.filter((line) => !names.some((name) => line.startsWith(name)));
    expect(valuesOf(without('RTT'))).toEqual(['PJSIP/a-1', undefined, '5.0', '8', '']);
    expect(valuesOf(without('Sent', 'RTT'))).toEqual(['PJSIP/a-1', undefined, undefined, undefined, '']);
    for (const lines of [PRINTED, without('RTT'), without('Sent', 'RTT')]) expect(isRecognised(lines)).toBe(true);
  });

  test('recognises its events alone, and its message is as any other', () => {
    const named = (name: string): string[] => PRINTED.with(0, `Event: ${name}`);
    expect(['X', 'Y', 'Z', 'XY', ''].filter((name) => isRecognised(named(name)))).toEqual(['X', 'Y']);
    for (const name of ['X', 'Y', 'Z']) {
      const [message] = messagesIn(printed(named(name)), new AmiParser(LAYOUT));
      expect(message?.event).toBe(name);
      expect(['Event', 'Language', 'Exten', 'Other'].map((header) => message?.get(header))).toEqual([
        name,
        'en',
        '',
        undefined,
      ]);
    }
  });

  test.each([
    ['in another order', PRINTED.toReversed()],
    ['with one more at its end', [...PRINTED, 'New: 1']],
    ['with one more in between', PRINTED.toSpliced(3, 0, 'New: 1')],
    ['with what is optional at another place', [...PRINTED.toSpliced(3, 1), 'RTT: 0.1']],
    ['without a space', PRINTED.map((line) => line.replace(': ', ':'))],
    ['without one that nobody wants', PRINTED.toSpliced(2, 1)],
  ])('reads headers %s as well', (_, lines) => {
    expect(valuesOf(lines)).toEqual(['PJSIP/a-1', '0.1', '5.0', '8', '']);
    expect(isRecognised(lines)).toBe(false);
  });
});

describe('a layout of headers that stand together', () => {
  test.each(['Channel: a\r\nLanguage: en\r\nExten: 7', 'Exten: 7\r\nChannel: a'])(
    'finds them wherever they stand: %j',
    (lines) => {
      const part = new HeaderLayout(['Channel', '- Language', 'Exten']);
      const values = part.read(new AmiMessage(`\r\nEvent: X\r\n${lines}\r\nMore: 1`));
      expect([values[part.places.Channel], values[part.places.Exten]]).toEqual(['a', '7']);
    },
  );
});

describe.each(goldenNames())('%s', (name) => {
  const text = readFileSync(join(import.meta.dirname, `../../golden/ami/${name}.txt`), 'utf8');
  const blocks = text.split('\r\n\r\n').filter((block) => block.startsWith('Event: RTCP'));

  test('has reports of which no header has to be searched for', () => {
    const messages = messagesIn(text).filter(({ event }) => event?.startsWith('RTCP'));
    expect(messages.length).toBe(blocks.length);
    expect(messages.length).toBeGreaterThan(5);
    const searched = vi.spyOn(AmiMessage.prototype, 'get');
    try {
      for (const message of messages) expect(readPbxEvent(message, 1)).toMatchObject({ type: 'rtcp' });
      expect(searched).not.toHaveBeenCalled();
    } finally {
      searched.mockRestore();
    }
  });

  test('has reports that read the same in any order of their headers', () => {
    const shuffled = fc.constantFrom(...blocks).chain((block) => {
      const [first = '', ...rest] = block.split('\r\n');
      const reordered = fc.shuffledSubarray(rest, { minLength: rest.length });
      return fc.record({ block: fc.constant(block), lines: reordered.map((lines) => [first, ...lines]) });
    });
    fc.assert(
      fc.property(shuffled, ({ block, lines }) => {
        const inOrder = readPbxEvent(new AmiMessage(`\r\n${block}`), 1);
        expect(readPbxEvent(new AmiMessage(`\r\n${lines.join('\r\n')}`), 1)).toEqual(inOrder);
      }),
      { numRuns: 20 },
    );
  });
});
