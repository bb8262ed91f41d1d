import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseConf } from '../../../src/config/conf-file.ts';

describe('the syntax of mes.conf', () => {
  it('reads sections, both ways to assign, comments and blank lines, with their line numbers', () => {
    const text =
      '; head\n\n[ami]\nhost = 10.0.0.1 ; where\nport=>5039\n  secret  =  a\\;b==c \n[http]\r\ntoken =\r\n[ami]\ntls=yes';
    expect(parseConf(text)).toEqual({
      sections: [
        {
          name: 'ami',
          line: 3,
          entries: [
            { key: 'host', value: '10.0.0.1', line: 4 },
            { key: 'port', value: '5039', line: 5 },
            { key: 'secret', value: 'a;b==c', line: 6 },
            { key: 'tls', value: 'yes', line: 10 },
          ],
        },
        { name: 'http', line: 7, entries: [{ key: 'token', value: '', line: 8 }] },
      ],
      problems: [],
    });
  });

  it('takes a file without a byte of content and one that begins with a byte order mark', () => {
    expect(parseConf('')).toEqual({ sections: [], problems: [] });
    expect(parseConf('\uFEFF[ami]').sections).toEqual([{ name: 'ami', line: 1, entries: [] }]);
  });

  it('takes a line of dashes behind a semicolon for the ornament that it is', () => {
    expect(parseConf(';-----\n[ami]\nport = 1')).toEqual({
      sections: [{ name: 'ami', line: 2, entries: [{ key: 'port', value: '1', line: 3 }] }],
      problems: [],
    });
  });

  it('names both lines of a duplicate key', () => {
    const { problems, sections } = parseConf('[ami]\nport = 1\n[http]\n[ami]\nport = 2');
    expect(problems).toEqual([
      { line: 5, sentence: '"port" in [ami] is already set in line 2; remove one of the two' },
    ]);
    expect(sections[0]?.entries).toEqual([{ key: 'port', value: '1', line: 2 }]);
  });

  it.each([
    ['[ami](!)\nhost = x', 1, 'templates such as [section](!) are not supported; write the keys out in each section'],
    ['[ami](other)', 1, 'templates such as [section](!) are not supported; write the keys out in each section'],
    ['[ami] host = x', 1, 'there is text behind the section heading; put it on a line of its own'],
    ['[ami', 1, 'the section heading has no closing bracket; write [section]'],
    ['[]', 1, 'the section heading is empty; write [section]'],
    ['[ami]\nsecret hunter2', 2, 'this is neither a [section] nor a setting; write key = value'],
    ['[ami]\n= hunter2', 2, 'this is neither a [section] nor a setting; write key = value'],
    ['port = 1', 1, 'this setting stands before the first section; put it under a [section]'],
    [
      '#include "other.conf"',
      1,
      '#include, #exec and # comments are not supported; write the settings here and begin a comment with ;',
    ],
    ['[ami]\n;-- long\nsecret = x', 2, 'block comments (;-- … --;) are not supported; begin each line with ;'],
    ['[ami]\nsecret = a\u0000b', 2, 'there is a control character in this line; remove it'],
  ])('refuses %j with the line and what to do, and without its text', (text, line, sentence) => {
    expect(parseConf(text).problems).toEqual([{ line, sentence }]);
  });

  it('never throws and never loses a line, whatever the file holds', () => {
    const piece = fc.oneof(fc.constantFrom('[', ']', '=', ';', '\\', '\n', '(', ' ', 'a', '#', '\u0000'), fc.string());
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const { sections, problems } = parseConf(pieces.join(''));
        const lines = pieces.join('').split('\n').length;
        const numbers = [...problems, ...sections.flatMap((section) => section.entries)].map(({ line }) => line);
        expect(new Set(numbers).size).toBe(numbers.length);
        expect(numbers.every((line) => line >= 1 && line <= lines)).toBe(true);
      }),
    );
  });
});
