import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AgiLineReader,
  AgiValueError,
  MAX_AGI_LINE_BYTES,
  encodeGetFullVariable,
  encodeSetVariable,
  readAgiAnswer,
  readAgiVariable,
} from '../../../src/wire/agi.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('AgiLineReader', () => {
  it('cuts what Asterisk 22.10.1 sent into lines, with or without CR', () => {
    const reader = new AgiLineReader();
    expect(reader.push(bytes('agi_network: yes\nagi_uniqueid: 1795171767.22\r\n\n'))).toEqual([
      'agi_network: yes',
      'agi_uniqueid: 1795171767.22',
      '',
    ]);
    expect(reader.push(bytes('200 result=1'))).toEqual([]);
    expect(reader.push(bytes(' (x)\n'))).toEqual(['200 result=1 (x)']);
  });

  it('gives the same lines however the bytes are cut', () => {
    const text = 'agi_calleridname: Zoë ✆\n200 result=1 (ü)\n\nHANGUP\n';
    const all = bytes(text);
    fc.assert(
      fc.property(fc.array(fc.nat(all.length), { maxLength: 8 }), (cuts) => {
        const edges = [0, ...cuts.toSorted((a, b) => a - b), all.length];
        const reader = new AgiLineReader();
        const lines = edges.slice(1).flatMap((to, index) => reader.push(all.subarray(edges[index], to)));
        expect(lines).toEqual(['agi_calleridname: Zoë ✆', '200 result=1 (ü)', '', 'HANGUP']);
      }),
    );
  });

  it('refuses a line that does not end, at the limit and not before', () => {
    expect(new AgiLineReader().push(bytes('x'.repeat(MAX_AGI_LINE_BYTES)))).toEqual([]);
    expect(new AgiLineReader().push(bytes('x'.repeat(MAX_AGI_LINE_BYTES + 1)))).toBe('overlong');
    const slow = new AgiLineReader(10);
    expect(slow.push(bytes('12345'))).toEqual([]);
    expect(slow.push(bytes('67890'))).toEqual([]);
    expect(slow.push(bytes('1'))).toBe('overlong');
  });
});

describe('readAgiVariable', () => {
  it('reads names and values, empty values too', () => {
    expect(readAgiVariable('agi_uniqueid: 1795171767.22')).toEqual({ name: 'agi_uniqueid', value: '1795171767.22' });
    expect(readAgiVariable('agi_accountcode: ')).toEqual({ name: 'agi_accountcode', value: '' });
    expect(readAgiVariable('agi_request: agi://127.0.0.1:4573/hangup')).toEqual({
      name: 'agi_request',
      value: 'agi://127.0.0.1:4573/hangup',
    });
  });

  it.each(['GET / HTTP/1.1', 'agi_: x', '', 'uniqueid: 1', ' agi_uniqueid: 1', 'agi_uniqueid'])(
    'refuses %j',
    (line) => {
      expect(readAgiVariable(line)).toBeUndefined();
    },
  );
});

describe('readAgiAnswer', () => {
  it.each([
    ['200 result=1 (ssrc=468825120;lp=0)', { code: 200, result: '1', value: 'ssrc=468825120;lp=0' }],
    ['200 result=1 ()', { code: 200, result: '1', value: '' }],
    ['200 result=0', { code: 200, result: '0', value: undefined }],
    ['200 result=1 (a (b) c)', { code: 200, result: '1', value: 'a (b) c' }],
    ['511 Command Not Permitted on a dead channel or intercept routine', { code: 511, result: '', value: undefined }],
    ['520-Invalid command syntax.  Proper usage follows:', { code: 520, result: '', value: undefined }],
  ])('reads %j', (line, answer) => {
    expect(readAgiAnswer(line)).toEqual(answer);
  });

  it.each(['HANGUP', '', '20 result=1', 'result=1'])('takes %j for no answer', (line) => {
    expect(readAgiAnswer(line)).toBeUndefined();
  });
});

describe('the commands', () => {
  it('are written as Asterisk reads them', () => {
    const expression = '$'.concat('{CHANNEL(rtcp,all)}');
    expect(encodeGetFullVariable(expression)).toBe(`GET FULL VARIABLE "${expression}"\n`);
    expect(encodeSetVariable('ARRAY(MES,CDR(mes))', '4.31,4.31')).toBe(
      'SET VARIABLE ARRAY(MES,CDR(mes)) "4.31,4.31"\n',
    );
  });

  it.each(['a"b', 'a\nb', 'a\rb', 'a\0b', 'a\\b'])('refuse the value %j', (value) => {
    expect(() => encodeSetVariable('MES', value)).toThrow(AgiValueError);
    expect(() => encodeGetFullVariable(value)).toThrow(AgiValueError);
  });

  it.each(['MES "1"\nHANGUP', 'A B', 'A"B'])('refuse the name %j', (name) => {
    expect(() => encodeSetVariable(name, '1')).toThrow(AgiValueError);
  });
});
