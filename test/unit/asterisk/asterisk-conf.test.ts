import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ALIVE_VARIABLE } from '../../../src/asterisk/ami-actions.ts';
import { loadSettings, type Settings } from '../../../src/config/settings.ts';
import { SETTINGS } from '../../../src/config/settings-table.ts';
import { mesProfile } from '../../../src/score/profiles.ts';
import { NEEDED_READ_CLASSES, NEEDED_WRITE_CLASSES } from '../../../src/wire/ami-classes.ts';

const folder = new URL('../../../asterisk-conf/', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, folder), 'utf8');
const CDR_FIELDS = ['mes', 'mes_rx', 'mes_tx', 'mes_peer_rx', 'mes_peer_tx', 'mes_call', 'mes_min', 'mes_verdict'];

/** The sample with every setting written out. */
function uncommented(): string {
  return read('mes.conf').replaceAll(/^;(?=\S)/gm, '');
}

function load(text: string): Settings {
  return loadSettings(text, 'mes.conf', {});
}

describe('asterisk-conf', () => {
  it('says in each file where it goes', () => {
    const names = readdirSync(folder).filter((name) => name.includes('.') && name !== 'README.md');
    expect(names.length).toBeGreaterThanOrEqual(9);
    for (const name of names) {
      expect(read(name)).toContain(name);
      expect(read(name)).toContain('Goes into: ');
      expect(read('README.md')).toContain(`\`${name}\``);
    }
  });

  it('has a mes.conf that is accepted as it is, and with every setting written out', () => {
    const bare = load('[ami]\nusername = mes\nsecret = CHANGE-ME\n');
    expect(load(read('mes.conf'))).toEqual(bare);
    const { customProfile, codecDelaysMs, endpoints, ...rest } = load(uncommented());
    expect(rest).toEqual({ ...rest, general: bare.general, ami: bare.ami, ari: null, agi: bare.agi, http: bare.http });
    expect(rest).toMatchObject({ writeback: bare.writeback, history: bare.history, capture: bare.capture });
    expect(mesProfile('custom', customProfile)).toEqual({ ...mesProfile('documented'), name: 'custom' });
    expect([...codecDelaysMs]).toEqual([['g729', 25]]);
    expect(endpoints).toEqual([{ pattern: 'PJSIP/mobile*', advantage: 10 }]);
  });

  it('has a mes.conf that leaves no setting out', () => {
    const text = uncommented();
    for (const [section, keys] of Object.entries(SETTINGS)) {
      const body = text.slice(text.indexOf(`[${section}]\n`)).split(/\n\[/, 1)[0] ?? '';
      for (const key of Object.keys(keys)) expect(body).toMatch(new RegExp(`^${key} =`, 'm'));
    }
  });

  it('asks for the classes that are checked for, and no others', () => {
    expect(read('manager_mes.conf')).toMatch(new RegExp(`^read = ${NEEDED_READ_CLASSES.join(',')}$`, 'm'));
    expect(read('manager_mes.conf')).toMatch(new RegExp(`^write = ${NEEDED_WRITE_CLASSES.join(',')}$`, 'm'));
  });

  it('looks for the sidecar where it listens by default, and for the variable that it sets', () => {
    const { agi } = load('[ami]\nusername = mes\nsecret = x\n');
    expect(read('extensions_mes.conf')).toContain(`AGI(agi://${agi.bind.host}:${agi.bind.port}/hangup)`);
    expect(read('extensions_mes.conf')).toContain(`GLOBAL(${ALIVE_VARIABLE})`);
  });

  it.each(['cdr_custom_mes.conf', 'cdr_sqlite3_custom_mes.conf'])('writes every field: %s', (name) => {
    for (const field of CDR_FIELDS) expect(read(name)).toContain('$'.concat(`{CDR(${field})}`));
  });

  it.each(['cdr_adaptive_odbc_mes.sql', 'cdr_pgsql_mes.sql'])('has every column: %s', (name) => {
    for (const field of CDR_FIELDS) expect(read(name)).toMatch(new RegExp(`ADD COLUMN ${field} `));
  });
});
