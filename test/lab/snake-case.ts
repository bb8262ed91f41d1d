import { snakeCase } from '../../src/model/naming.ts';

/** A plain object with all its names in snake case, as JSON has them here; other values as they are. */
export function inSnakeCase(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [snakeCase(name), inSnakeCase(part)]));
}
