import { expect, it } from 'vitest';
import { snakeCase } from '../../../src/model/naming.ts';

it.each([
  ['lossPercent', 'loss_percent'],
  ['mes100', 'mes_100'],
  ['nativeMes100', 'native_mes_100'],
  ['rValue', 'r_value'],
  ['rLq', 'r_lq'],
  ['fractionLostQ8', 'fraction_lost_q8'],
  ['lsrNtp32', 'lsr_ntp32'],
  ['dlsrS', 'dlsr_s'],
  ['startedAtMs', 'started_at_ms'],
  ['uniqueid', 'uniqueid'],
])('%s is %s in JSON and SQL', (camelCase, name) => {
  expect(snakeCase(camelCase)).toBe(name);
});
