import { describe, expect, it } from 'vitest';
import { arrayAssignment, selectAssignments } from '../../../src/asterisk/variable-assignment.ts';

describe('selectAssignments', () => {
  it('sets variables as they are, and fields through CDR()', () => {
    const values = { variables: new Map([['MES_RX', '']]), cdrFields: new Map([['mes_peer_rx', '4.20']]) };
    const all = selectAssignments(values, { variables: true, cdr: true });
    expect([...all]).toEqual([
      ['MES_RX', ''],
      ['CDR(mes_peer_rx)', '4.20'],
    ]);
  });
});

describe('arrayAssignment', () => {
  it('makes one assignment of many', () => {
    expect(
      arrayAssignment(
        new Map([
          ['MES', '4.31'],
          ['CDR(mes_verdict)', 'one-way-rx'],
        ]),
      ),
    ).toEqual({
      name: 'ARRAY(MES,CDR(mes_verdict))',
      value: '4.31,one-way-rx',
    });
  });

  it('keeps the place of what is taken back, wherever it stands', () => {
    const values = { MES: '', MES_RX: '4.31', MES_TX: '', MES_MIN: '' };
    expect(arrayAssignment(new Map(Object.entries(values)))).toEqual({
      name: 'ARRAY(MES,MES_RX,MES_TX,MES_MIN)',
      value: ',4.31,,',
    });
  });

  it.each([
    ['MES', '4,31'],
    ['MES', '4.31\r\nX: y'],
    ['MES', '"'],
    ['MES', '$'.concat('{SHELL(x)}')],
    ['MES', 'Good'],
    ['MES', 'a b'],
    ['mes', '4.31'],
    ['SHELL(x)', '4.31'],
    ['MES,X', '4.31'],
    ['CDR(mes),X', '4.31'],
    ['CDR(mes', '4.31'],
  ])('refuses %j = %j', (name, value) => {
    expect(() => arrayAssignment(new Map([[name, value]]))).toThrow(RangeError);
  });
});
