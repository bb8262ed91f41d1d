import { expect, test } from 'vitest';
import { fitted } from '../../../src/cli/setup/say.ts';

test('on a terminal a sentence of setup breaks between words, and a command stays whole', () => {
  const question =
    "Asterisk's manager interface (AMI), from which scores are made, is off. Switch it on, for this machine only? [Y/n]";
  const lines = fitted(question, 80);
  expect(lines).toEqual([
    "Asterisk's manager interface (AMI), from which scores are made, is off. Switch",
    'it on, for this machine only? [Y/n]',
  ]);
  expect(fitted(question, question.length)).toEqual([question]);
  expect(fitted(question, Number.POSITIVE_INFINITY)).toEqual([question]);
  const command = `  asterisk -rx "module reload res_pjsip.so" (not loaded: module load res_pjsip.so)`;
  expect(fitted(command, 40)).toEqual([command]);
  expect(fitted('', 80)).toEqual(['']);
});
