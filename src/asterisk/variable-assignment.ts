import type { ChannelValues } from '../model/ports.ts';

/** A score, a verdict or nothing: no text that Asterisk would evaluate. */
const VALUE = /^[0-9a-z.-]{0,40}$/;
const NAME = /^(?:[A-Z][A-Z0-9_]{0,39}|CDR\([a-z][a-z0-9_]{0,39}\))$/;

/** `CDR(mes)` by `mes`, and names that passed the check: the same dozen is written all the time. */
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
 * Makes one assignment of many: `ARRAY(MES,CDR(mes))` and `4.31,4.31`.
 * Throws RangeError on a name or value that could mean anything else to Asterisk, such as one with a comma.
 */
export function arrayAssignment(variables: ReadonlyMap<string, string>): {
  readonly name: string;
  readonly value: string;
} {
  let names = '';
  let values = '';
  // No array per pair: this runs with every report.
  variables.forEach((value, name) => {
    if (!isOurs(name)) throw new RangeError(`"${name}" is not the name of a variable of ours`);
    if (!VALUE.test(value)) throw new RangeError(`the value of ${name} is not a number, a verdict or a plain word`);
    // An empty value keeps its place in the list.
    values += names === '' ? value : `,${value}`;
    names += names === '' ? name : `,${name}`;
  });
  return { name: `ARRAY(${names})`, value: values };
}

/** Selects by the two settings: variables, CDR fields (`mes` as `CDR(mes)`), both or none. */
export function selectAssignments(
  values: ChannelValues,
  settings: { readonly variables: boolean; readonly cdr: boolean },
): Map<string, string> {
  const all = new Map(settings.variables ? values.variables : undefined);
  if (settings.cdr) values.cdrFields.forEach((value, field) => all.set(cdrFunctionOf(field), value));
  return all;
}
