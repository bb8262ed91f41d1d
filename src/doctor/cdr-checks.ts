import {
  type AsteriskConfig,
  type ConfigEntry,
  isFalse,
  isTrue,
  lastEntry,
  sectionsOf,
} from '../wire/asterisk-conf.ts';
import { CDR_FIELDS } from '../model/fields/written-fields.ts';
import { howToLook } from './ami-checks.ts';
import { CONFIG_FILES, type DoctorFacts, type ModuleName } from './facts.ts';
import { addLines, type Change, type CheckId, type Finding, findingsOf, replaceLine, runLines } from './finding.ts';
import { setValue, writtenValue } from './written-value.ts';

const WHY =
  'CDR(mes) and the others are always set, but a row has only the fields that its backend is configured to write.';

/** A CDR backend that can be configured to write the score fields. */
interface Backend {
  readonly id: CheckId;
  readonly module: ModuleName;
  /** Undefined: the backend is loaded but not set up, so nobody uses it. */
  readonly examine: (facts: DoctorFacts) => Reach | undefined;
}

interface Reach {
  /** The score fields that reach a row; null: not known. */
  readonly fields: readonly string[] | null;
  readonly saw: string;
  readonly changes: readonly Change[];
}

const BACKENDS: readonly Backend[] = [
  { id: 'cdr-custom', module: 'cdr_custom', examine: customReach },
  { id: 'cdr-sqlite3-custom', module: 'cdr_sqlite3_custom', examine: sqliteReach },
  { id: 'cdr-adaptive-odbc', module: 'cdr_adaptive_odbc', examine: (facts) => tableReach(facts, 'cdr_adaptive_odbc') },
  { id: 'cdr-pgsql', module: 'cdr_pgsql', examine: (facts) => tableReach(facts, 'cdr_pgsql') },
  { id: 'cdr-mysql', module: 'cdr_mysql', examine: (facts) => tableReach(facts, 'cdr_mysql') },
  { id: 'cdr-syslog', module: 'cdr_syslog', examine: syslogReach },
  { id: 'cdr-manager', module: 'cdr_manager', examine: managerReach },
];

const FIXED_BACKENDS = ['cdr_csv', 'cdr_odbc', 'cdr_tds', 'cdr_radius', 'cdr_beanstalkd'] as const;

/** Whether the fields reach any row, and which of them each loaded backend writes. */
export function checkCdr(facts: DoctorFacts): Finding[] {
  const { ok, problem, unknown } = findingsOf('cdr', WHY);
  if (!facts.settings.writesCdr) return [ok('CDR fields are switched off ([writeback] cdr = no).')];
  const enable = writtenValue(facts, 'cdrEnable');
  if (enable !== null && isFalse(enable.value)) {
    const change = setValue(facts, 'cdrEnable', 'enable = yes', 'asterisk -rx "module reload cdr"');
    return [problem('cdr.conf has enable = no: there are no rows.', [change])];
  }
  const reached = BACKENDS.flatMap((backend) => {
    const reach = isInUse(facts, backend.module) ? backend.examine(facts) : undefined;
    return reach === undefined ? [] : [{ backend, reach }];
  });
  const findings = [...reached.map(({ backend, reach }) => backendFinding(backend, reach)), ...checkFixed(facts)];
  const carriers = reached
    .filter(({ reach }) => reach.fields?.includes('mes') === true)
    .map(({ backend }) => backend.module);
  if (carriers.length > 0) return [ok(`The scores get into the rows of ${carriers.join(' and ')}.`), ...findings];
  if (facts.modules.cdr_custom === null && reached.length === 0)
    return [unknown(`Which CDR backends are loaded is not known: ${howToLook(facts)}`)];
  if (reached.some(({ reach }) => reach.fields === null)) {
    return [unknown('Whether the scores get into any row is not known; see the backends.'), ...findings];
  }
  return [problem('No loaded CDR backend writes the scores into its rows.', [customMapping(facts)]), ...findings];
}

/** Whether a module is loaded; if Asterisk cannot be asked, whether it has a configuration. */
function isInUse({ modules, files }: DoctorFacts, module: ModuleName): boolean {
  const loaded = modules[module];
  if (loaded !== null) return loaded;
  const file = CONFIG_FILES.find((name) => name === `${module}.conf`);
  return file !== undefined && (files[file]?.length ?? 0) > 0;
}

function backendFinding({ id, module }: Backend, { fields, saw, changes }: Reach): Finding {
  const { ok, warning, unknown } = findingsOf(id, WHY);
  if (fields === null) return unknown(saw, changes);
  if (!fields.includes('mes')) return warning(saw, changes);
  const others = CDR_FIELDS.filter((field) => !fields.includes(field));
  return ok(`${module} writes CDR(mes)${others.length === 0 ? ' and all others' : `, but not ${others.join(', ')}`}.`);
}

/** Backends with fixed fields. */
function checkFixed({ modules }: DoctorFacts): Finding[] {
  const loaded = FIXED_BACKENDS.filter((module) => modules[module] === true);
  if (loaded.length === 0) return [];
  const { ok } = findingsOf('cdr-fixed', WHY);
  return [ok(`${loaded.join(', ')}: loaded, but with fixed fields, so their rows cannot have the scores.`)];
}

/** The fields that a text names as `CDR(name)`. */
function fieldsIn(text: string): string[] {
  return CDR_FIELDS.filter((field) => new RegExp(`CDR\\(${field}[,)]`, 'i').test(text));
}

function customReach(facts: DoctorFacts): Reach {
  const saw = 'No mapping of cdr_custom.conf names CDR(mes).';
  const config = facts.files['cdr_custom.conf'];
  const told = [facts.values.customMes, facts.values.customMaster].filter((value) => value !== null).join(' ');
  const text =
    config === null
      ? told
      : mappings(config)
          .map(({ value }) => value)
          .join(' ');
  const fields = fieldsIn(text);
  if (config === null && fields.length === 0) {
    return { fields: null, saw: `The mappings of cdr_custom.conf are not known: ${howToLook(facts)}`, changes: [] };
  }
  return { fields, saw, changes: [customMapping(facts)] };
}

function mappings(config: AsteriskConfig): ConfigEntry[] {
  return sectionsOf(config, 'mappings').flatMap(({ entries }) => entries);
}

function customMapping({ files, readyLines }: DoctorFacts): Change {
  const lines = readyLines('cdr_custom_mes.conf').filter((line) => !line.startsWith('['));
  const [place] = sectionsOf(files['cdr_custom.conf'] ?? [], 'mappings');
  return addLines('cdr_custom.conf', 'mappings', place, lines, loadAgain('cdr_custom'));
}

/** A backend without configuration refuses to load when Asterisk starts. The first command helps then, otherwise the second. */
function loadAgain(module: ModuleName): string {
  return `asterisk -rx "module load ${module}.so", asterisk -rx "module reload ${module}.so"`;
}

function sqliteReach(facts: DoctorFacts): Reach | undefined {
  const columns = writtenValue(facts, 'sqliteColumns');
  const values = writtenValue(facts, 'sqliteValues');
  if (columns === null || values === null) {
    return {
      fields: null,
      saw: `The columns of cdr_sqlite3_custom.conf are not known: ${howToLook(facts)}`,
      changes: [],
    };
  }
  // Many packages ship it without a table: it is loaded and does nothing.
  if (columns.value === '') return undefined;
  const fields = fieldsIn(values.value).filter((field) => columns.value.split(/[\s,]+/).includes(field));
  const missing = CDR_FIELDS.filter((field) => !fields.includes(field));
  const afterwards =
    'asterisk -rx "module unload cdr_sqlite3_custom.so", for each name sqlite3 master.db "ALTER TABLE cdr ADD COLUMN mes", and asterisk -rx "module load cdr_sqlite3_custom.so"';
  return {
    fields,
    saw: 'cdr_sqlite3_custom.conf has no column for CDR(mes).',
    changes: [
      setValue(facts, 'sqliteColumns', `columns => ${[columns.value, ...missing].join(', ')}`, afterwards),
      setValue(
        facts,
        'sqliteValues',
        `values => ${[values.value, ...missing.map((field) => `'\${CDR(${field})}'`)].join(',')}`,
        afterwards,
      ),
    ],
  };
}

/** Backends that fill every column whose name is a field's name. */
function tableReach(facts: DoctorFacts, module: 'cdr_adaptive_odbc' | 'cdr_pgsql' | 'cdr_mysql'): Reach | undefined {
  const config = facts.files[`${module}.conf`];
  // Packages ship it loaded, without a database.
  if (config?.every(({ entries }) => entries.length === 0) === true) return undefined;
  const tables = (config ?? []).flatMap(({ name }) => lastEntry(config ?? [], name, 'table')?.value ?? []);
  const [table = 'cdr'] = tables;
  const sql = facts.readyLines(module === 'cdr_pgsql' ? 'cdr_pgsql_mes.sql' : 'cdr_adaptive_odbc_mes.sql');
  return {
    fields: null,
    saw: `${module} writes the scores if its table has columns for them: look with SELECT mes FROM ${table} in its database, and add them if that fails.`,
    changes: [
      runLines(
        sql.map((line) => line.replace('TABLE cdr ', `TABLE ${table} `)),
        loadAgain(module),
      ),
    ],
  };
}

function syslogReach(facts: DoctorFacts): Reach | undefined {
  const config = facts.files['cdr_syslog.conf'];
  if (config === null) {
    return { fields: null, saw: `The templates of cdr_syslog.conf are not known: ${howToLook(facts)}`, changes: [] };
  }
  const templates = config.flatMap((section) => {
    const entry = lastEntry([section], section.name, 'template');
    return entry === undefined ? [] : [{ section: section.name, entry }];
  });
  if (templates.length === 0) return undefined;
  const afterwards = loadAgain('cdr_syslog');
  return {
    fields: fieldsIn(templates.map(({ entry }) => entry.value).join(' ')),
    saw: 'No template of cdr_syslog.conf names CDR(mes).',
    changes: templates.map(({ section, entry }) =>
      replaceLine(entry, section, [`${entry.text},"\${CDR(mes)}","\${CDR(mes_verdict)}"`], afterwards),
    ),
  };
}

function managerReach(facts: DoctorFacts): Reach | undefined {
  const enabled = writtenValue(facts, 'cdrManagerEnabled');
  const mapping = writtenValue(facts, 'cdrManagerMes');
  if (enabled === null || mapping === null) {
    return { fields: null, saw: `The mappings of cdr_manager.conf are not known: ${howToLook(facts)}`, changes: [] };
  }
  // It is off by default.
  if (!isTrue(enabled.value)) return undefined;
  const config = facts.files['cdr_manager.conf'] ?? [];
  const fields = CDR_FIELDS.filter(
    (field) => (field === 'mes' && mapping.value !== '') || lastEntry(config, 'mappings', field) !== undefined,
  );
  const lines = CDR_FIELDS.map((field) => `${field} => ${field.toUpperCase()}`);
  const [place] = sectionsOf(config, 'mappings');
  return {
    fields,
    saw: 'cdr_manager.conf has no mapping for mes, so the Cdr events are without scores.',
    changes: [addLines('cdr_manager.conf', 'mappings', place, lines, loadAgain('cdr_manager'))],
  };
}

/** Whether the hangup handler's final scores get into the row that billing reads. */
export function checkEndBeforeHExten(facts: DoctorFacts): Finding {
  const { ok, problem, unknown } = findingsOf(
    'cdr-endbeforehexten',
    'With "no" the hangup handler opens a second row: the final scores go there, and billing counts one row too many.',
  );
  if (!facts.settings.writesCdr) return ok('CDR fields are switched off ([writeback] cdr = no).');
  const written = writtenValue(facts, 'endBeforeHExten');
  if (written === null) return unknown(`endbeforehexten is not known: ${howToLook(facts)}`);
  if (written.value === '') return ok("endbeforehexten is Asterisk's built-in default, yes.");
  if (isTrue(written.value)) return ok(`cdr.conf has endbeforehexten = ${written.value}.`);
  const change = setValue(facts, 'endBeforeHExten', 'endbeforehexten = yes', 'asterisk -rx "module reload cdr"');
  return problem(`cdr.conf has endbeforehexten = ${written.value}.`, [change]);
}
