import { expect, test } from 'vitest';
import { parseCsv } from '../../lab/cdr-rows.ts';

test('quotes, commas and line ends inside a field are the field', () => {
  expect(parseCsv('a,"""Alice"" <101>","x,y"\n"",,"two\nlines"\n')).toStrictEqual([
    ['a', '"Alice" <101>', 'x,y'],
    ['', '', 'two\nlines'],
  ]);
});

test('a line that is still being written is left out', () => {
  expect(parseCsv('a,b\nc,"d')).toStrictEqual([['a', 'b']]);
});
