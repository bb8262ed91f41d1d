import { expect, test } from 'vitest';
import { parseMessage } from '../../lab/ami-client.ts';

test('headers are read, a repeated one keeps all its values, a line without a colon is skipped', () => {
  const block = 'Asterisk Call Manager/9.0.0\r\nEvent: VarSet\r\nValue: a: b\r\nVariable: x\r\nVariable: y\r\nExten:';
  expect(parseMessage(block)).toStrictEqual({ Event: 'VarSet', Value: 'a: b', Variable: 'x\ny', Exten: '' });
});
