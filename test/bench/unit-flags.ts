import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../lab/paths.ts';

/** How the systemd unit starts the sidecar: the options that it gives Node, and its environment. */
export interface UnitFlags {
  readonly node: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** Read from `asterisk-conf/asterisk-mes.service`. */
export function unitFlags(): UnitFlags {
  const unit = readFileSync(join(REPOSITORY, 'asterisk-conf/asterisk-mes.service'), 'utf8');
  const [, options = ''] = /^ExecStart=.*exec node ((?:--\S+ )+)/m.exec(unit) ?? [];
  const [, variables = ''] = /^Environment=(.*)$/m.exec(unit) ?? [];
  return {
    node: options.trim().split(' '),
    environment: Object.fromEntries(variables.split(' ').map((one) => one.split('='))) as Record<string, string>,
  };
}
