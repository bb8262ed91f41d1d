const UNITS = [
  ['GB', 1e9],
  ['MB', 1e6],
] as const;

/** Bytes as people write them: `13 kB`, `1.2 MB`, `100 MB`; a part of a kB counts as one. */
export function sizeText(bytes: number): string {
  for (const [unit, size] of UNITS) if (bytes >= size) return `${Number((bytes / size).toFixed(1))} ${unit}`;
  return `${Math.ceil(bytes / 1000)} kB`;
}
