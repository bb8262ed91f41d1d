import { describeRatedCalls } from './fixtures/rated-calls.ts';

describeRatedCalls('22');
