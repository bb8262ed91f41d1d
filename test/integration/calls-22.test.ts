import { describeRealCalls } from './fixtures/real-calls.ts';

describeRealCalls('22');
