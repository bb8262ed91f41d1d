import { describePhoneCalls } from './fixtures/phone-calls.ts';
import { OTHER_KINDS } from './fixtures/other-phone-kinds.ts';
import { BARESIP_KINDS } from './fixtures/phone-kinds.ts';

/**
 * Asterisk 16 of Debian 11 has no Opus; calls that do not depend on the release are tried with Asterisk 22. The two are not
 * neighbours by name, so that they do not run side by side: together they are too many phones for two processors.
 */
const OVER_BARESIP = new Set([
  'plain',
  'blind transfer by the phone',
  'a queue whose first agent does not answer',
  'parked and retrieved',
]);

const KINDS = [
  ...BARESIP_KINDS.filter(({ name }) => OVER_BARESIP.has(name)),
  ...OTHER_KINDS.filter(({ name }) => name !== 'Linphone'),
];

describePhoneCalls('16', KINDS, { isCapturing: true });
