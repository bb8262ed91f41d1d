import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { asteriskMes, type Outcome } from './command.ts';

/** As a vanilla PBX has them; endbeforehexten as some sample files set it. */
export const PBX: Readonly<Record<string, string>> = {
  'manager.conf': '[general]\nenabled = yes\n#include "manager.d/*.conf"\n[other]\nsecret = theirs\nread = call\n',
  'extensions.conf': '[general]\n[in]\nexten => 1,1,Dial(PJSIP/a)',
  'cdr.conf': '[general]\nendbeforehexten = no\n',
  'cdr_custom.conf': '; nothing\n',
  'ari.conf': '[general]\nenabled = yes\nchannelvars = CRM_ID, MES\n',
  'http.conf': '[general]\nbindport = 8089\n',
};

/** A configuration directory of a PBX, made anew for each test, and what setup makes of it. */
export class SetupFolder {
  #folder = '';

  constructor() {
    beforeEach(() => {
      this.#folder = mkdtempSync(join(tmpdir(), 'mes-setup-'));
      mkdirSync(this.etc);
      for (const [name, text] of Object.entries(PBX)) writeFileSync(join(this.etc, name), text, { mode: 0o644 });
    });
    afterEach(() => rmSync(this.#folder, { recursive: true, force: true }));
  }

  /** The parent of `etc`: what is here is not the PBX's. */
  get outside(): string {
    return this.#folder;
  }

  get etc(): string {
    return join(this.#folder, 'etc');
  }

  get config(): string {
    return join(this.etc, 'mes.conf');
  }

  setup(...more: string[]): Promise<Outcome> {
    return asteriskMes(['setup', '--asterisk-dir', this.etc, '--config', this.config, ...more]);
  }

  read(name: string): string {
    return readFileSync(join(this.etc, name), 'utf8');
  }

  contents(): Record<string, string> {
    return Object.fromEntries(readdirSync(this.etc).map((name) => [name, this.read(name)]));
  }

  /** In octal. */
  modeOf(name: string): string {
    return (statSync(join(this.etc, name)).mode & 0o777).toString(8);
  }

  secretOf(name: string): string {
    return /^secret = (.*)$/m.exec(this.read(name))?.[1] ?? '';
  }
}
