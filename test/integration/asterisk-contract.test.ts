import { describe } from 'vitest';
import { RELEASES } from '../lab/root-filesystem.ts';
import { describeAsteriskContract } from './fixtures/asterisk-contract.ts';

// Both releases beside each other, the tests of each one after the other.
describe.concurrent.each(RELEASES)('with Asterisk %s', (release) => {
  describeAsteriskContract(release);
});
