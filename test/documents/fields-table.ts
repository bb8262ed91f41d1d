import { CALL_FIELDS } from '../../src/model/fields/call-fields.ts';
import { CHANNEL_FIELDS } from '../../src/model/fields/channel-fields.ts';
import type { Field, Fields } from '../../src/model/fields/field.ts';
import { INTERVAL_FIELDS } from '../../src/model/fields/interval-fields.ts';
import { SEGMENT_FIELDS, STREAM_FIELDS } from '../../src/model/fields/stream-fields.ts';
import { snakeCase } from '../../src/model/naming.ts';

const UNITS: Readonly<Partial<Record<Field['kind'], string>>> = { moment: 'time', truth: 'true, false', ssrc: 'SSRC' };

function rowOf(property: string, field: Field): string[] {
  const column = snakeCase(property);
  const unit = field.words.length > 0 && field.words.length < 5 ? field.words.join(', ') : field.unit;
  const personal = field.isPersonal ? ' (personal)' : '';
  return [
    `\`${column}\``,
    UNITS[field.kind] ?? unit,
    field.isNullable ? 'yes' : '',
    field.isShown || field.kind === 'parts' ? '' : 'no',
    `${field.means}${personal}`,
  ];
}

function tableOf(title: string, fields: Fields): string {
  const head = ['column', 'unit or values', 'may be null', 'in REST', 'what it means'];
  const rows = Object.entries(fields).map(([property, field]) => rowOf(property, field));
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return [`### ${title}`, '', ...lines].join('\n');
}

function without(fields: Fields, others: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([property, field]) => others[property] !== field));
}

/** The tables of stored fields in `src/history/README.md`. */
export function fieldsTable(): string {
  return [
    tableOf('calls', CALL_FIELDS),
    tableOf('channels', CHANNEL_FIELDS),
    tableOf('streams', STREAM_FIELDS),
    tableOf('segments: as streams, and', without(SEGMENT_FIELDS, STREAM_FIELDS)),
    tableOf('intervals', INTERVAL_FIELDS),
  ].join('\n\n');
}
