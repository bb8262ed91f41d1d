import type { Command } from 'commander';
import { VERSION } from '../app/version.ts';
import { DONE } from './exit-status.ts';

export function addVersion(program: Command, finish: (status: number) => void): void {
  program
    .command('version')
    .description('which asterisk-mes and which Node.js this is')
    .option('--json', 'as one JSON document')
    .action(({ json }: { readonly json?: boolean }) => {
      const { node, v8 } = process.versions;
      const facts = { asterisk_mes: VERSION, node, v8, platform: process.platform, architecture: process.arch };
      process.stdout.write(
        json === true
          ? `${JSON.stringify(facts)}\n`
          : `asterisk-mes ${VERSION}, Node.js ${node}, ${process.platform} ${process.arch}\n`,
      );
      finish(DONE);
    });
}
