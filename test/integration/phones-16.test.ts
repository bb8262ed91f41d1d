import { describePhoneCalls } from './fixtures/phone-calls.ts';
import { OTHER_KINDS } from './fixtures/other-phone-kinds.ts';
import { BARESIP_KINDS } from './fixtures/phone-kinds.ts';

/** Asterisk 16 of Debian 11 has no Opus; calls that do not depend on the release are tried with Asterisk 22. */
const OVER_BARESIP = new Set([
  'plain',
  'SDES',
  'Dial with tTkK',
  'blind transfer by the phone',
  'a queue whose first agent does not answer',
  'parked and retrieved',
  'a conference of three',
]);

const KINDS = [...BARESIP_KINDS.filter(({ name }) => OVER_BARESIP.has(name)), ...OTHER_KINDS];

describePhoneCalls('16', KINDS, { isCapturing: true });
