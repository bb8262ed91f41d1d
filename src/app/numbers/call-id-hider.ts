import { createHmac, randomBytes } from 'node:crypto';
import type { NumberSetting } from './caller-numbers.ts';

const CALL_ID_DIGITS = 32;

/** How a SIP Call-ID is kept. It may hold a number, and must stay the same to be joined by. */
export function callIdHider(setting: NumberSetting): (callId: string) => string {
  if (setting.numbers === 'clear') return (callId) => callId;
  // Without a key a hash of it could be tried out; legs of before a restart are then found by their addresses.
  const key = setting.numbersKey ?? randomBytes(32);
  return (text) => createHmac('sha256', key).update(text).digest('hex').slice(0, CALL_ID_DIGITS);
}
