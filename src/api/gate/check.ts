import type { z } from 'zod';
import { shown, SHOWN_CHARACTERS } from '../parameters.ts';
import { Problem } from '../problem.ts';

/** Checks a request's query. Throws Problem 400 that names the first parameter at fault. */
export function checkQuery<Query extends z.ZodObject>(schema: Query, query: unknown): z.output<Query> {
  const checked = schema.safeParse(withComparisons(query));
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0];
  if (issue?.code === 'unrecognized_keys') {
    const name = issue.keys[0] ?? '';
    const known = Object.keys(schema.shape);
    const advice = known.length === 0 ? 'this address takes none' : `known are ${known.join(', ')}`;
    throw new Problem(
      'MES_ERR_PARAMETER_UNKNOWN',
      `unknown parameter ${shown(name)}; ${advice}`,
      name.slice(0, SHOWN_CHARACTERS),
    );
  }
  const name = String(issue?.path[0] ?? '');
  throw new Problem('MES_ERR_PARAMETER_VALUE', `parameter ${name}: ${issue?.message ?? 'is not allowed'}`, name);
}

/** `?rating<=2`, as people write it, arrives as `rating<` with the value 2: it means `rating=<=2`. */
function withComparisons(query: unknown): unknown {
  if (typeof query !== 'object' || query === null) return query;
  const read = Object.entries(query).map(([name, value]: [string, unknown]) => {
    const [, plain, sign] = /^(rating|score)([<>])$/.exec(name) ?? [];
    return plain !== undefined && typeof value === 'string' && !Object.hasOwn(query, plain)
      ? [plain, `${sign}=${value}`]
      : [name, value];
  });
  return Object.fromEntries(read);
}

/** Checks a body. Throws Problem that names the first wrong field. */
export function checkBody<Body extends z.ZodType>(schema: Body, body: unknown): z.output<Body> {
  const checked = schema.safeParse(body, { error: bodyWords });
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0];
  const name = issue?.path.join('.').slice(0, SHOWN_CHARACTERS);
  const what = issue?.message ?? 'is not allowed';
  throw new Problem('MES_ERR_BODY', name ? `${name} in the body: ${what}` : `the body: ${what}`, name || undefined);
}

const KINDS: Readonly<Record<string, string>> = {
  object: 'a JSON object',
  array: 'a list',
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

/** What to do about a value for which its field has no words of its own. */
function bodyWords(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type': {
      const wanted = `give ${KINDS[issue.expected] ?? issue.expected}`;
      return issue.input === undefined ? `it is missing; ${wanted}` : wanted;
    }
    case 'too_big':
      return `give at most ${issue.maximum}${countedIn(issue.origin)}`;
    case 'too_small':
      return `give at least ${issue.minimum}${countedIn(issue.origin)}`;
    case 'invalid_value':
      return `give one of ${issue.values.map(String).join(', ')}`;
    case 'unrecognized_keys':
      return `it has the unknown key ${shown(issue.keys[0] ?? '')}; take it out`;
    default:
      return 'it is not allowed; see /openapi.json';
  }
}

function countedIn(origin: string): string {
  if (origin === 'string') return ' characters';
  return origin === 'array' || origin === 'set' ? ' entries' : '';
}
