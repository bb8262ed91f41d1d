import { type Fields, number, orNull } from './field.ts';

/**
 * Quality of listening (LQ) and of conversation (CQ) by the E-model. All null: a codec without impairment factors or not known,
 * fewer than 5 packets received, or loss not known.
 */
export const E_MODEL = {
  rLq: orNull(number('R', 3, 'R factor of listening quality (ITU-T G.107)')),
  rCq: orNull(number('R', 3, 'R factor of conversational quality (ITU-T G.107)')),
  mosLq: orNull(number('MOS 1-4.5', 3, 'MOS of listening quality')),
  mosCq: orNull(number('MOS 1-4.5', 3, 'MOS of conversational quality')),
} as const satisfies Fields;
