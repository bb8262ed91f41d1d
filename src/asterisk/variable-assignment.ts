import type { ChannelValues } from '../model/ports.ts';

/** What a score or a verdict is made of, or nothing: never what Asterisk would read as more than text. */
const VALUE = /^[0-9a-z.-]{0,40}$/;
const NAME = /^(?:[A-Z][A-Z0-9_]{0,39}|CDR\([a-z][a-z0-9_]{0,39}\))$/;

/** `CDR(mes)` by `mes`, and names that were found to be ours: the same dozen is written all the time. */
const cdrFunctions = new Map<string, string>();
const knownNames = new Set<string>();

function cdrFunctionOf(field: string): string {
  let name = cdrFunctions.get(field);
  if (name === undefined) cdrFunctions.set(field, (name = `CDR(${field})`));
  return name;
}

function isOurs(name: string): boolean {
  if (knownNames.has(name)) return true;
  if (!NAME.test(name)) return false;
  knownNames.add(name);
  return true;
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
    // An empty value takes its place, too.
    values += names === '' ? value : `,${value}`;
    names += names === '' ? name : `,${name}`;
  });
  return { name: `ARRAY(${names})`, value: values };
}

/** What to assign by the two settings: the variables, the CDR fields (`mes` as `CDR(mes)`), both or nothing. */
export function selectAssignments(
  values: ChannelValues,
  settings: { readonly variables: boolean; readonly cdr: boolean },
): Map<string, string> {
  const all = new Map(settings.variables ? values.variables : undefined);
  if (settings.cdr) values.cdrFields.forEach((value, field) => all.set(cdrFunctionOf(field), value));
  return all;
}
