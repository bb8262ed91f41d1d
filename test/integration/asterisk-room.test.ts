import { describeAsteriskRoom } from './fixtures/asterisk-room.ts';

describeAsteriskRoom('22');
describeAsteriskRoom('16');
