import type { ChannelVariables } from '../model/ports.ts';

/** What a score, a verdict or a name of ours is made of: nothing that Asterisk would read as more than text. */
const VALUE = /^[0-9a-z.-]{1,40}$/;
const NAME = /^(?:[A-Z][A-Z0-9_]{0,39}|CDR\([a-z][a-z0-9_]{0,39}\))$/;

/** `CDR(mes)` by `MES`, and names that were found to be ours: the same dozen is written all the time. */
const cdrFields = new Map<string, string>();
const knownNames = new Set<string>();

function cdrFieldOf(name: string): string {
  let field = cdrFields.get(name);
  if (field === undefined) cdrFields.set(name, (field = `CDR(${name.toLowerCase()})`));
  return field;
}

function isOurs(name: string): boolean {
  if (knownNames.has(name)) return true;
  if (!NAME.test(name)) return false;
  knownNames.add(name);
  return true;
}

/** The same values once more as CDR fields: `MES` also as `CDR(mes)`. */
export function withCdrFields(variables: ReadonlyMap<string, string>): Map<string, string> {
  const all = new Map(variables);
  variables.forEach((value, name) => all.set(cdrFieldOf(name), value));
  return all;
}

/**
 * One assignment for all: `ARRAY(MES,CDR(mes))` and `4.31,4.31`.
 * Throws RangeError on a name or value that could mean anything else to Asterisk, such as one with a comma.
 */
export function arrayAssignment(variables: ReadonlyMap<string, string>): {
  readonly name: string;
  readonly value: string;
} {
  let names = '';
  let values = '';
  // Without an array for each pair: this is done with every report.
  variables.forEach((value, name) => {
    if (!isOurs(name)) throw new RangeError(`"${name}" is not the name of a variable of ours`);
    if (!VALUE.test(value)) throw new RangeError(`the value of ${name} is not a number, a verdict or a plain word`);
    names += names === '' ? name : `,${name}`;
    values += values === '' ? value : `,${value}`;
  });
  return { name: `ARRAY(${names})`, value: values };
}

/** What to assign by the two settings: the variables themselves, their CDR fields, both or nothing. */
export function selectAssignments(
  variables: ChannelVariables,
  settings: { readonly variables: boolean; readonly cdr: boolean },
): Map<string, string> {
  if (!settings.cdr && !settings.variables) return new Map();
  const all = settings.cdr ? withCdrFields(variables) : new Map(variables);
  if (!settings.variables) for (const name of variables.keys()) all.delete(name);
  return all;
}
