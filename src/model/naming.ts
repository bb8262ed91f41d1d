/**
 * The name that a TypeScript property has in JSON and SQL: `lossPercent` is `loss_percent`, `mes100` is `mes_100`,
 * `rLq` is `r_lq`, `lsrNtp32` is `lsr_ntp32` (a number that belongs to its unit stays with it).
 */
export function snakeCase(camelCase: string): string {
  return camelCase.replace(/([a-z])100$/, '$1_100').replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
