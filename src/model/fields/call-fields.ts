import { CALL_ENDERS } from '../call-end.ts';
import { FAULT_PLACES } from '../fault.ts';
import { PROFILE_NAMES, VERDICTS } from '../score.ts';
import { type Fields, moment, number, opinion, orNull, storedOnly, text, word } from './field.ts';

/** Where the fault of a call lies, as far as its four directions tell; all null for other than two parties. */
export const FAULT = {
  faultPlace: orNull(word(FAULT_PLACES, 'on which stretch of a call of two parties the fault lies')),
  faultCertainty: orNull(word(['sure', 'likely', 'guess'], 'how sure that place is')),
  faultReports: orNull(number('', null, 'how many reports it was judged by')),
  faultWhy: orNull(text('the place and its reasons in one sentence')),
} as const satisfies Fields;

/** A call: all channels with one linkedid. */
export const CALL_FIELDS = {
  linkedid: text("Asterisk's id of the call: that of the channel that it began with"),
  startedAtMs: moment('when it began'),
  endedAtMs: orNull(moment('when it ended; null: one of its channels is up')),
  mes: orNull(opinion('the score of the call: the mean of all its directions')),
  mesMin: orNull(opinion('the score of its worst interval')),
  verdict: orNull(
    word(VERDICTS, 'a word for the quality of its worst direction, or why there is no score; null: too early to say'),
  ),
  profile: word(PROFILE_NAMES, 'by which profile of formulas it was scored'),
  version: text('the release of asterisk-mes that scored it'),
  ...FAULT,
  endedBy: orNull(
    word(CALL_ENDERS, 'who hung up: of the last talk, or before anybody spoke; null: it is up, or that was not seen'),
  ),
  endedByUniqueid: orNull(text('the channel that was hung up')),
  // Shown as a list.
  findings: storedOnly(
    orNull(text('what is wrong with the audio itself, between blanks; null: nothing, or nobody looked')),
  ),
} as const satisfies Fields;
