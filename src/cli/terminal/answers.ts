import type { z } from 'zod';
import type { CALL, CALLS_ANSWER, CHANNEL, INTERVAL, STREAM } from '../../api/answers/answers.ts';

/** REST's answers, as the terminal shows them. */
export type CallAnswer = z.output<typeof CALL>;
export type ChannelAnswer = z.output<typeof CHANNEL>;
export type StreamAnswer = z.output<typeof STREAM>;
export type IntervalAnswer = z.output<typeof INTERVAL>;
export type CallsAnswer = z.output<typeof CALLS_ANSWER>;
export type VerdictWord = NonNullable<ChannelAnswer['verdict']>;
