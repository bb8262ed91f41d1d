import type { Statements } from '../schema/statements.ts';

/** With each rating, so that a write never takes long; most often there are none or one. */
const FILLED_AT_ONCE = 20;

/** What whoever rated heard: the codec that was sent to them, or else the one that they sent. */
const HEARD_CODEC = `(SELECT codec FROM streams WHERE streams.uniqueid = ratings.uniqueid AND codec IS NOT NULL
  ORDER BY direction DESC LIMIT 1)`;
/** Who else had part in the call, as a JSON list. */
const OTHER_SIDES = `(SELECT json_group_array(endpoint) FROM (
  SELECT DISTINCT endpoint FROM channels
  WHERE channels.linkedid = ratings.linkedid AND endpoint NOT LIKE 'Local/%' AND endpoint IS NOT ratings.endpoint
))`;

/** Both are kept with the rating once its call has ended, since to find them for each costs more than all else of a summary. */
export const FACTS_STEP = `ALTER TABLE ratings ADD COLUMN heard_codec TEXT;
  ALTER TABLE ratings ADD COLUMN other_sides TEXT;
  UPDATE ratings SET heard_codec = ${HEARD_CODEC}, other_sides = ${OTHER_SIDES}
  WHERE EXISTS (SELECT 1 FROM calls WHERE calls.linkedid = ratings.linkedid AND calls.ended_at_ms IS NOT NULL);
  CREATE INDEX ratings_without_facts ON ratings (at_ms) WHERE other_sides IS NULL`;

/** Of a row of `ratings`; looked up where they are not kept yet. */
export const FACT_CELLS = `iif(other_sides IS NULL, ${HEARD_CODEC}, heard_codec) AS codec,
  ifnull(other_sides, ${OTHER_SIDES}) AS others`;

/** Keeps the facts of some ratings whose calls have ended since. */
export function keepFacts(statements: Statements): void {
  statements.run(`UPDATE ratings SET heard_codec = ${HEARD_CODEC}, other_sides = ${OTHER_SIDES} WHERE id IN (
    SELECT id FROM ratings JOIN calls ON calls.linkedid = ratings.linkedid
    WHERE other_sides IS NULL AND calls.ended_at_ms IS NOT NULL LIMIT ${FILLED_AT_ONCE}
  )`);
}

/** The rating's call has other channels now. */
export function forgetFacts(statements: Statements, linkedid: string): void {
  statements.run('UPDATE ratings SET heard_codec = NULL, other_sides = NULL WHERE linkedid = ?', linkedid);
}
