import { describePhoneCalls } from './fixtures/phone-calls.ts';
import { OTHER_KINDS } from './fixtures/other-phone-kinds.ts';
import { BARESIP_KINDS } from './fixtures/phone-kinds.ts';

/** A lab has at most 50 phones: these calls are tried with Asterisk 16. */
const WITH_16 = new Set([
  'a trunk that sends no RTCP (SIPp)',
  'from baresip to Linphone',
  'blind transfer by Linphone',
  'digits pressed in the call',
  'digits that a native bridge passes on',
  'hold by Linphone',
]);

const KINDS = [...BARESIP_KINDS, ...OTHER_KINDS.filter(({ name }) => !WITH_16.has(name))];

describePhoneCalls('22', KINDS, { isCapturing: false });
