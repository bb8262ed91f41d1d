import { expect, test } from 'vitest';
import { readTaskProcessors } from '../../../src/wire/task-processors.ts';

// As 16.28.0 and 22.10.1 printed them to `asterisk -rx`; the numbers of the second row were changed.
const OF_16 = `
Processor                                                               Processed   In Queue  Max Depth  Low water High water
ast_msg_queue                                                                   0          0          0        450        500
pjsip/default-0000000c                                                         26         17        612        450        500

101 taskprocessors

`;
const OF_22 = `
Processor                                                               Processed   In Queue  Max Depth  Low water High water Low time(us) High time(us)
ast_msg_queue                                                                   0          0          0        450        500          0          0
taskpool/s:stasis-00000004                                                      1         17        612        450        500          0          1

105 taskprocessors

`;

test.each([
  [OF_16, 'pjsip/default-0000000c'],
  [OF_22, 'taskpool/s:stasis-00000004'],
])('the table of a release', (text, name) => {
  expect(readTaskProcessors(text)).toEqual([
    { name: 'ast_msg_queue', waiting: 0, mostWaited: 0, highWater: 500 },
    { name, waiting: 17, mostWaited: 612, highWater: 500 },
  ]);
});

test.each(['', 'No such command', 'Processor Processed\nx 1 2 3 4 5'])('%j is none', (text) => {
  expect(readTaskProcessors(text)).toBeUndefined();
});
