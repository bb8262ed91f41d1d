import { snakeCase } from '../../model/naming.ts';
import { type RunLengthChunk, XR_BLOCK_TYPES, type XrBlock } from './rtcp-xr-blocks.ts';
import { q8ToRatio, ratioFitsQ8, ratioToQ8, type VoipMetricsBlock } from './rtcp-xr-voip.ts';

/** A JSON document as `JSON.parse` gives it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
export type JsonObject = { readonly [name: string]: Json };

/** An SSRC as Asterisk prints it, with all its digits: `0x3c2c6734`. */
export function formatSsrc(ssrc: number): string {
  return `0x${ssrc.toString(16).padStart(8, '0')}`;
}

/** A VoIP Metrics block as JSON. Rates and densities are ratios of 0-1, with the block's own 0-255 beside them as `…_q8`. */
export function voipMetricsToJson(block: VoipMetricsBlock): JsonObject {
  return {
    ssrc: formatSsrc(block.ssrc),
    loss_rate: q8ToRatio(block.lossRateQ8),
    loss_rate_q8: block.lossRateQ8,
    discard_rate: q8ToRatio(block.discardRateQ8),
    discard_rate_q8: block.discardRateQ8,
    burst_density: q8ToRatio(block.burstDensityQ8),
    burst_density_q8: block.burstDensityQ8,
    gap_density: q8ToRatio(block.gapDensityQ8),
    gap_density_q8: block.gapDensityQ8,
    burst_duration_ms: block.burstDurationMs,
    gap_duration_ms: block.gapDurationMs,
    round_trip_delay_ms: block.roundTripDelayMs,
    end_system_delay_ms: block.endSystemDelayMs,
    signal_level_dbm: block.signalLevelDbm,
    noise_level_dbm: block.noiseLevelDbm,
    rerl_db: block.rerlDb,
    gmin: block.gmin,
    r_factor: block.rFactor,
    ext_r_factor: block.extRFactor,
    mos_lq: block.mosLq,
    mos_cq: block.mosCq,
    rx_config: { plc: block.plc, jba: block.jba, jb_rate: block.jbRate },
    jb_nominal_ms: block.jbNominalMs,
    jb_maximum_ms: block.jbMaximumMs,
    jb_abs_max_ms: block.jbAbsMaxMs,
  };
}

/** Any extended report block as JSON; `block_type` tells which. `xrBlockFromJson` takes it back. */
export function xrBlockToJson(block: XrBlock): JsonObject {
  if (block.kind === 'unknown') {
    const hex = Array.from(block.bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
    return { block_type: block.blockType, type_specific: block.typeSpecific, unknown_hex: hex };
  }
  const block_type = XR_BLOCK_TYPES[block.kind];
  switch (block.kind) {
    case 'voip-metrics':
      return { block_type, ...voipMetricsToJson(block) };
    case 'loss-rle':
    case 'duplicate-rle':
      return { block_type, ...plainFields(block, ['kind', 'chunks']), chunks: block.chunks.map(chunkToJson) };
    case 'delay':
      return { block_type, reports: block.reports.map((report) => plainFields(report, [])) };
    default:
      return { block_type, ...plainFields(block, ['kind']) };
  }
}

/** Reads what `xrBlockToJson` wrote, or what a person wrote in its manner. Throws a RangeError with one plain sentence. */
export function xrBlockFromJson(json: Json): XrBlock {
  const fields = new FieldReader(json, 'A block');
  const blockType = fields.number('block_type');
  if (fields.has('unknown_hex')) {
    return {
      kind: 'unknown',
      blockType,
      typeSpecific: fields.has('type_specific') ? fields.number('type_specific') : 0,
      bytes: bytesFromHex(fields.text('unknown_hex')),
    };
  }
  switch (blockType) {
    case 1:
    case 2:
      return {
        kind: blockType === 1 ? 'loss-rle' : 'duplicate-rle',
        thinning: fields.number('thinning'),
        ...rangeFrom(fields),
        chunks: fields.list('chunks').map(chunkFromJson),
      };
    case 3:
      return {
        kind: 'receipt-times',
        thinning: fields.number('thinning'),
        ...rangeFrom(fields),
        receiptTicks: fields
          .list('receipt_ticks')
          .map((item) => new FieldReader({ item }, 'A receipt time').number('item')),
      };
    case 4:
      return {
        kind: 'reference-time',
        ntpSeconds: fields.number('ntp_seconds'),
        ntpFraction: fields.number('ntp_fraction'),
      };
    case 5:
      return { kind: 'delay', reports: fields.list('reports').map(delayFrom) };
    case 6:
      return {
        kind: 'summary',
        ...rangeFrom(fields),
        lostPackets: fields.numberOrNull('lost_packets'),
        duplicatePackets: fields.numberOrNull('duplicate_packets'),
        jitterTicks: fields.objectOrNull('jitter_ticks', spreadFrom),
        hops: fields.objectOrNull('hops', (hops) => ({ ipVersion: ipVersionFrom(hops), ...spreadFrom(hops) })),
      };
    case 7:
      return voipMetricsFrom(fields);
    default:
      throw new RangeError(`block_type is ${blockType}; give 1 to 7, or any other with its bytes as unknown_hex.`);
  }
}

function voipMetricsFrom(fields: FieldReader): VoipMetricsBlock {
  const rxConfig = new FieldReader(fields.get('rx_config') ?? {}, 'rx_config');
  const rate = (name: string): number => rateQ8From(fields, name);
  return {
    kind: 'voip-metrics',
    ssrc: fields.ssrc('ssrc'),
    lossRateQ8: rate('loss_rate'),
    discardRateQ8: rate('discard_rate'),
    burstDensityQ8: rate('burst_density'),
    gapDensityQ8: rate('gap_density'),
    burstDurationMs: fields.number('burst_duration_ms'),
    gapDurationMs: fields.number('gap_duration_ms'),
    roundTripDelayMs: fields.numberOrNull('round_trip_delay_ms'),
    endSystemDelayMs: fields.numberOrNull('end_system_delay_ms'),
    signalLevelDbm: fields.numberOrNull('signal_level_dbm'),
    noiseLevelDbm: fields.numberOrNull('noise_level_dbm'),
    rerlDb: fields.numberOrNull('rerl_db'),
    gmin: fields.numberOrNull('gmin'),
    rFactor: fields.numberOrNull('r_factor'),
    extRFactor: fields.numberOrNull('ext_r_factor'),
    mosLq: fields.numberOrNull('mos_lq'),
    mosCq: fields.numberOrNull('mos_cq'),
    plc: rxConfig.numberOrNull('plc'),
    jba: rxConfig.numberOrNull('jba'),
    jbRate: rxConfig.numberOrNull('jb_rate'),
    jbNominalMs: fields.number('jb_nominal_ms'),
    jbMaximumMs: fields.number('jb_maximum_ms'),
    jbAbsMaxMs: fields.number('jb_abs_max_ms'),
  };
}

/** A rate by its ratio, by its byte, or by both, which then must say the same. */
function rateQ8From(fields: FieldReader, name: string): number {
  const byteName = `${name}_q8`;
  if (!fields.has(name) && fields.has(byteName)) return fields.number(byteName);
  const ratio = fields.number(name);
  if (!(ratio >= 0 && ratio <= 1)) throw new RangeError(`${name} is ${ratio}; it must be a ratio from 0 to 1.`);
  if (!fields.has(byteName)) return ratioToQ8(ratio);
  const q8 = fields.number(byteName);
  if (ratioFitsQ8(ratio, q8)) return q8;
  throw new RangeError(
    `${name} is ${ratio}, which is ${ratioToQ8(ratio)} of 256, but ${byteName} is ${q8}; make them agree or leave one out.`,
  );
}

function rangeFrom(fields: FieldReader): { ssrc: number; beginSequence: number; endSequence: number } {
  return {
    ssrc: fields.ssrc('ssrc'),
    beginSequence: fields.number('begin_sequence'),
    endSequence: fields.number('end_sequence'),
  };
}

function spreadFrom(fields: FieldReader): { min: number; max: number; mean: number; deviation: number } {
  return {
    min: fields.number('min'),
    max: fields.number('max'),
    mean: fields.number('mean'),
    deviation: fields.number('deviation'),
  };
}

function ipVersionFrom(fields: FieldReader): 4 | 6 {
  const version = fields.number('ip_version');
  if (version === 4 || version === 6) return version;
  throw new RangeError(`ip_version is ${version}; it must be 4 or 6.`);
}

function delayFrom(json: Json): { ssrc: number; lrrNtp32: number; dlrrNtp32: number } {
  const fields = new FieldReader(json, 'A report of block type 5');
  return {
    ssrc: fields.ssrc('ssrc'),
    lrrNtp32: fields.number('lrr_ntp32'),
    dlrrNtp32: fields.number('dlrr_ntp32'),
  };
}

/** `{"run": 1, "length": 20}`, `{"bits": "111111110111111"}` (first packet first), or `null` for the padding. */
function chunkToJson(chunk: RunLengthChunk): Json {
  if (chunk.kind === 'null') return null;
  if (chunk.kind === 'run') return { run: chunk.value, length: chunk.length };
  return { bits: chunk.bits.toString(2).padStart(15, '0') };
}

function chunkFromJson(json: Json): RunLengthChunk {
  if (json === null) return { kind: 'null' };
  const fields = new FieldReader(json, 'A chunk');
  if (!fields.has('bits')) {
    const value = fields.number('run');
    if (value !== 0 && value !== 1) throw new RangeError(`run is ${value}; it must be 0 or 1.`);
    return { kind: 'run', value, length: fields.number('length') };
  }
  const bits = fields.text('bits');
  if (!/^[01]{15}$/.test(bits)) throw new RangeError(`The bits of a chunk are ${bits}; they must be 15 of 0 and 1.`);
  return { kind: 'bits', bits: Number.parseInt(bits, 2) };
}

function plainFields(value: object, without: readonly string[]): JsonObject {
  const fields = Object.entries(value).filter(([name]) => !without.includes(name));
  return Object.fromEntries(
    fields.map(([name, field]: [string, Json]) => {
      if (name === 'ssrc' && typeof field === 'number') return [name, formatSsrc(field)];
      const isObject = typeof field === 'object' && field !== null && !Array.isArray(field);
      return [snakeCase(name), isObject ? plainFields(field, []) : field];
    }),
  );
}

/** Bytes written as hexadecimal digits, white space allowed. Throws a RangeError when it is anything else. */
export function bytesFromHex(text: string): Uint8Array {
  const digits = text.replaceAll(/\s/g, '');
  if (digits.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(digits)) {
    throw new RangeError('This is no row of bytes in hexadecimal digits; give two digits for each byte.');
  }
  return Uint8Array.from({ length: digits.length / 2 }, (_, index) =>
    Number.parseInt(digits.slice(index * 2, index * 2 + 2), 16),
  );
}

/** Takes fields out of a JSON object; each error names the field. */
class FieldReader {
  readonly #fields: JsonObject;

  constructor(json: Json, what: string) {
    if (typeof json !== 'object' || json === null || Array.isArray(json)) {
      throw new RangeError(`${what} must be a JSON object.`);
    }
    this.#fields = json as JsonObject;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#fields, name);
  }

  get(name: string): Json | undefined {
    return this.has(name) ? this.#fields[name] : undefined;
  }

  number(name: string): number {
    const value = this.get(name);
    if (typeof value !== 'number') throw new RangeError(`${name} must be a number.`);
    return value;
  }

  numberOrNull(name: string): number | null {
    const value = this.get(name) ?? null;
    return value === null ? null : this.number(name);
  }

  text(name: string): string {
    const value = this.get(name);
    if (typeof value !== 'string') throw new RangeError(`${name} must be a text.`);
    return value;
  }

  ssrc(name: string): number {
    const value = this.get(name);
    if (typeof value === 'number') return value;
    if (typeof value === 'string' && /^0x[0-9a-f]{1,8}$/i.test(value)) return Number(value);
    throw new RangeError(`${name} must be an SSRC such as 0x3c2c6734.`);
  }

  list(name: string): readonly Json[] {
    const value = this.get(name);
    if (!Array.isArray(value)) throw new RangeError(`${name} must be a list.`);
    return value as readonly Json[];
  }

  objectOrNull<T>(name: string, read: (fields: FieldReader) => T): T | null {
    const value = this.get(name) ?? null;
    return value === null ? null : read(new FieldReader(value, name));
  }
}
