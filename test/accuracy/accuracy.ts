/** `npm run accuracy`: calls over a grid of networks; what each network did against what the product made of it. */
import { constants, setPriority } from 'node:os';
import { Command, CommanderError } from 'commander';
import { labObstacle, wayAround } from '../lab/obstacle.ts';
import { prepareLab } from '../lab/prepare.ts';
import { inSnakeCase } from '../lab/snake-case.ts';
import { type WorstError, worstErrors } from './errors.ts';
import { type Grid, FULL_GRID, QUICK_GRID } from './grid.ts';
import { type Comparison, RTCP_INTERVAL_MS, measureGrid } from './measure.ts';
import { asMarkdown, asText } from './tables.ts';

interface AccuracyOptions {
  readonly quick?: true;
  readonly json?: true;
  readonly markdown?: true;
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function main(): Promise<number> {
  const program = new Command('npm run accuracy --')
    .description('Makes calls over a grid of networks and compares what was measured with what the networks did.')
    .option('--quick', 'a small grid')
    .option('--json', 'print one JSON document and nothing else')
    .option('--markdown', 'print the tables as Markdown')
    .exitOverride();
  try {
    program.parse();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : 2;
  }
  const options = program.opts<AccuracyOptions>();
  const obstacle = labObstacle();
  if (obstacle !== undefined) {
    say(`Accuracy cannot be measured here: ${obstacle}.`);
    say(wayAround('npm run accuracy'));
    return 1;
  }
  goFirst();
  try {
    await prepareLab(['22'], { progress: say });
    const grid = options.quick === true ? QUICK_GRID : FULL_GRID;
    const comparisons = await measureGrid(grid, say);
    process.stdout.write(`${print(options, grid, comparisons)}\n`);
    return 0;
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    return 1;
  }
}

/** Other work on the machine would count as delay that no network made; the lab's processes take the priority over. */
function goFirst(): void {
  try {
    setPriority(constants.priority.PRIORITY_HIGHEST);
  } catch {
    say('This user may not raise the priority: other work on the machine counts as delay.');
  }
}

function print(options: AccuracyOptions, grid: Grid, comparisons: readonly Comparison[]): string {
  if (options.json === true) return JSON.stringify(document(grid, comparisons));
  const header = headerOf(grid);
  return options.markdown === true ? `${header}\n\n${asMarkdown(comparisons)}` : `${header}\n\n${asText(comparisons)}`;
}

function headerOf({ cells, callS }: Grid): string {
  return [
    `${cells.length} calls of ${callS} s over ulaw, both ways of the caller's leg; delay each way, jitter uniform from 0.`,
    `One RTCP report every ${RTCP_INTERVAL_MS / 1000} s.`,
    'The relay never lets a packet overtake another, so its jitter is the one that its send times give (RFC 3550), not the setting.',
    'Random loss takes RTCP, too; bursty loss only audio (a bad spell is 10 packets long on average and loses 80 % of them).',
  ].join('\n');
}

function document(grid: Grid, comparisons: readonly Comparison[]): object {
  const worst = worstErrors(comparisons).map(({ at, ...error }: WorstError) => ({
    ...error,
    cell: at?.cell ?? null,
    direction: at?.direction ?? null,
  }));
  return {
    call_s: grid.callS,
    rtcp_interval_ms: RTCP_INTERVAL_MS,
    ...(inSnakeCase({ comparisons, worstErrors: worst }) as object),
  };
}

process.exitCode = await main();
