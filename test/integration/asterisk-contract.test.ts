import { describeAsteriskContract } from './fixtures/asterisk-contract.ts';

describeAsteriskContract('22');
describeAsteriskContract('16');
