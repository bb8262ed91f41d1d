import { createHmac, randomBytes } from 'node:crypto';
import type { NumberSetting } from './caller-numbers.ts';

const CALL_ID_DIGITS = 32;

/** Makes the function that hides SIP Call-IDs. They may hold numbers, and equal ones must stay equal for joining. */
export function callIdHider(setting: NumberSetting): (callId: string) => string {
  if (setting.numbers === 'clear') return (callId) => callId;
  // Use a random key when none is set: a hash without key could be tried out. After a restart, older legs are then joined by
  // address.
  const key = setting.numbersKey ?? randomBytes(32);
  return (text) => createHmac('sha256', key).update(text).digest('hex').slice(0, CALL_ID_DIGITS);
}
