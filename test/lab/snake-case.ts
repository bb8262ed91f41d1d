import { snakeCase } from '../../src/model/naming.ts';

/** Plain objects, in arrays too, with all their names in snake case, as JSON has them here; other values as they are. */
export function inSnakeCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => inSnakeCase(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [snakeCase(name), inSnakeCase(part)]));
}
