import type { Command } from 'commander';
import { DEFAULT_SETTINGS_PATH } from '../../config/read-settings.ts';
import { fail } from '../exit-status.ts';
import type { RestClient } from '../terminal/rest-client.ts';

/** Options of the commands that ask REST. */
export interface ReadOptions {
  readonly config?: string;
  readonly json?: boolean;
}

export function withReadOptions(command: Command): Command {
  return command
    .option('--json', "REST's answer, as one JSON document")
    .option('--config <file>', `settings that name REST's address and token (default: ${DEFAULT_SETTINGS_PATH})`);
}

/** Does the work with a client of REST; what fails is told in one sentence. */
export async function askRest(options: ReadOptions, work: (rest: RestClient) => Promise<number>): Promise<number> {
  try {
    const { restClient } = await import('../terminal/rest-client.ts');
    return await work(await restClient(options.config));
  } catch (error) {
    return fail(error);
  }
}
