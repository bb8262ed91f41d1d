import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { checkCdr, checkEndBeforeHExten } from '../../../src/doctor/cdr-checks.ts';
import { CDR_FIELDS } from '../../../src/model/fields/written-fields.ts';
import type { DoctorFacts } from '../../../src/doctor/facts.ts';
import type { Finding } from '../../../src/doctor/finding.ts';
import { BLIND, filesFrom, modules, NO_FILES, UNTOLD, WELL } from './installation.ts';

function findings(facts: Partial<DoctorFacts>): Record<string, Finding> {
  return Object.fromEntries(checkCdr({ ...WELL, ...facts }).map((finding) => [finding.id, finding]));
}

function statuses(facts: Partial<DoctorFacts>): Record<string, string> {
  return Object.fromEntries(Object.values(findings(facts)).map(({ id, status }) => [id, status]));
}

describe('the billing rows', () => {
  test('the fields are those that the ready files write', () => {
    const text = readFileSync(new URL('../../../asterisk-conf/cdr_custom_mes.conf', import.meta.url), 'utf8');
    expect([...text.matchAll(/\$\{CDR\((mes\w*)\)\}/g)].slice(-9).map(([, name]) => name)).toEqual([
      ...CDR_FIELDS,
      'mes_rating',
    ]);
  });

  test('cdr_custom: a mapping with the field, and without', () => {
    const loaded = { modules: modules(['cdr_custom']) };
    expect(statuses(loaded)).toEqual({ cdr: 'ok', 'cdr-custom': 'ok' });
    expect(findings(loaded)['cdr-custom']?.saw).toBe(
      'cdr_custom writes CDR(mes), but not mes_rx, mes_tx, mes_peer_rx, mes_peer_tx, mes_call, mes_min, mes_verdict.',
    );
    const files = filesFrom({ 'cdr_custom.conf': `[mappings]\nMaster.csv => \${CDR(src)},\${CDR(mesx)}\n` });
    const without = findings({ ...loaded, files });
    expect([without['cdr']?.status, without['cdr-custom']?.status]).toEqual(['problem', 'warning']);
    expect(without['cdr']?.changes).toMatchObject([
      {
        file: 'cdr_custom.conf',
        section: 'mappings',
        action: 'add',
        line: 1,
        lines: ['first line of cdr_custom_mes.conf'],
      },
    ]);
  });

  test('cdr_custom without its file: only the usual names can be asked for', () => {
    const loaded = { modules: modules(['cdr_custom']) };
    const values = { ...UNTOLD, customMes: '', customMaster: `\${CDR(mes)}` };
    expect(statuses({ ...loaded, files: NO_FILES, values })['cdr']).toBe('ok');
    expect(statuses({ ...loaded, files: NO_FILES, values: { ...values, customMaster: '' } })).toEqual({
      cdr: 'unknown',
      'cdr-custom': 'unknown',
    });
  });

  test('cdr_sqlite3_custom: a column and a value, in one line each', () => {
    const loaded = { modules: modules(['cdr_sqlite3_custom']) };
    const files = filesFrom({
      'cdr_sqlite3_custom.conf': `[master]\ntable => cdr\ncolumns => src, mes\nvalues => '\${CDR(src)}','\${CDR(mes)}'\n`,
    });
    expect(statuses({ ...loaded, files })).toEqual({ cdr: 'ok', 'cdr-sqlite3-custom': 'ok' });
    const old = filesFrom({ 'cdr_sqlite3_custom.conf': `[master]\ncolumns => src\nvalues => '\${CDR(src)}'\n` });
    const [columns, values] = findings({ ...loaded, files: old })['cdr-sqlite3-custom']?.changes ?? [];
    expect(columns).toMatchObject({ action: 'replace', line: 2, was: 'columns => src' });
    expect(columns?.lines).toEqual([
      'columns => src, mes, mes_rx, mes_tx, mes_peer_rx, mes_peer_tx, mes_call, mes_min, mes_verdict',
    ]);
    expect(values?.lines[0]).toMatch(/^values => '\$\{CDR\(src\)\}','\$\{CDR\(mes\)\}',.*'\$\{CDR\(mes_verdict\)\}'$/);
    // Loaded without a table it does nothing, and is no backend.
    expect(statuses({ ...loaded, files: filesFrom() })).toEqual({ cdr: 'problem' });
  });

  test('tables: what to ask, and the statements for that table if the answer is no', () => {
    const loaded = { modules: modules(['cdr_adaptive_odbc', 'cdr_pgsql', 'cdr_mysql']) };
    // Told of no database they do nothing.
    expect(statuses(loaded)).toEqual({ cdr: 'problem' });
    const files = filesFrom({
      'cdr_adaptive_odbc.conf': '[first]\nconnection = asterisk\ntable = billing\n',
      'cdr_pgsql.conf': '[global]\nhostname = db\n',
    });
    const readyLines = (name: string): string[] => [`ALTER TABLE cdr ADD COLUMN mes; -- of ${name}`];
    const found = findings({ ...loaded, files, readyLines });
    expect(found['cdr']?.status).toBe('unknown');
    expect(found['cdr-adaptive-odbc']).toMatchObject({
      status: 'unknown',
      changes: [{ action: 'run', lines: ['ALTER TABLE billing ADD COLUMN mes; -- of cdr_adaptive_odbc_mes.sql'] }],
    });
    expect(found['cdr-pgsql']?.saw).toContain('SELECT mes FROM cdr in its database');
    expect(found['cdr-mysql']).toBeUndefined();
    // Where the files cannot be read it may well be in use.
    expect(statuses({ ...loaded, files: NO_FILES })).toMatchObject({ cdr: 'unknown', 'cdr-mysql': 'unknown' });
  });

  test('cdr_syslog: its templates', () => {
    const loaded = { modules: modules(['cdr_syslog']) };
    const files = filesFrom({ 'cdr_syslog.conf': `[cdr]\ntemplate = "\${CDR(src)}"\n` });
    const found = findings({ ...loaded, files });
    expect([found['cdr']?.status, found['cdr-syslog']?.status]).toEqual(['problem', 'warning']);
    expect(found['cdr-syslog']?.changes).toMatchObject([
      { line: 2, section: 'cdr', lines: [`template = "\${CDR(src)}","\${CDR(mes)}","\${CDR(mes_verdict)}"`] },
    ]);
    const mended = filesFrom({ 'cdr_syslog.conf': `[cdr]\ntemplate = "\${CDR(mes)}"\n` });
    expect(statuses({ ...loaded, files: mended })).toEqual({ cdr: 'ok', 'cdr-syslog': 'ok' });
  });

  test('cdr_manager: only where it is switched on', () => {
    const loaded = { modules: modules(['cdr_manager']) };
    expect(statuses(loaded)).toEqual({ cdr: 'problem' });
    const files = filesFrom({ 'cdr_manager.conf': '[general]\nenabled = yes\n[mappings]\nrate => Rate\n' });
    const found = findings({ ...loaded, files });
    expect(found['cdr-manager']?.status).toBe('warning');
    expect(found['cdr-manager']?.changes[0]).toMatchObject({ section: 'mappings', line: 3 });
    expect(found['cdr-manager']?.changes[0]?.lines.slice(0, 2)).toEqual(['mes => MES', 'mes_rx => MES_RX']);
    const mapped = filesFrom({ 'cdr_manager.conf': '[general]\nenabled = yes\n[mappings]\nmes => MES\n' });
    expect(statuses({ ...loaded, files: mapped })).toEqual({ cdr: 'ok', 'cdr-manager': 'ok' });
  });

  test('where Asterisk cannot be asked, what the files set up counts', () => {
    expect(statuses({ ...BLIND, files: filesFrom() })).toEqual({ cdr: 'ok', 'cdr-custom': 'ok' });
    expect(statuses({ ...BLIND })).toEqual({ cdr: 'unknown' });
  });

  test('backends with fixed fields cannot hold them', () => {
    expect(statuses({ modules: modules(['cdr_csv']) })).toEqual({ cdr: 'problem', 'cdr-fixed': 'ok' });
  });

  test('no rows at all, or no fields wanted', () => {
    const off = findings({ files: filesFrom({ 'cdr.conf': '[general]\nenable = no\n' }) });
    expect(off['cdr']).toMatchObject({ status: 'problem', changes: [{ line: 2, lines: ['enable = yes'] }] });
    const settings = { ...WELL.settings, writesCdr: false };
    expect(statuses({ settings, modules: modules([]) })).toEqual({ cdr: 'ok' });
  });

  test('endbeforehexten: the built-in default is yes', () => {
    const of = (text: string): Finding => checkEndBeforeHExten({ ...WELL, files: filesFrom({ 'cdr.conf': text }) });
    expect(of('').status).toBe('ok');
    expect(of('[general]\nendbeforehexten = yes\n').status).toBe('ok');
    expect(of('[general]\nendbeforehexten=no\n')).toMatchObject({
      status: 'problem',
      changes: [{ action: 'replace', line: 2, was: 'endbeforehexten=no', lines: ['endbeforehexten = yes'] }],
    });
  });
});
