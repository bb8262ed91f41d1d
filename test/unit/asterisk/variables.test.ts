import { describe, expect, it } from 'vitest';
import { arrayAssignment, withCdrFields } from '../../../src/asterisk/variables.ts';

describe('withCdrFields', () => {
  it('names the CDR fields as README does', () => {
    const names = ['MES', 'MES_RX', 'MES_TX', 'MES_PEER_RX', 'MES_PEER_TX', 'MES_CALL', 'MES_MIN', 'MES_VERDICT'];
    const all = withCdrFields(new Map(names.map((name) => [name, '1.00'])));
    expect([...all.keys()].slice(names.length)).toEqual([
      'CDR(mes)',
      'CDR(mes_rx)',
      'CDR(mes_tx)',
      'CDR(mes_peer_rx)',
      'CDR(mes_peer_tx)',
      'CDR(mes_call)',
      'CDR(mes_min)',
      'CDR(mes_verdict)',
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

  it.each([
    ['MES', '4,31'],
    ['MES', ''],
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
