import { describe, expect, test } from 'vitest';
import { encodeXrBlocks } from '../../../src/wire/rtcp/rtcp-xr.ts';
import { type Json, xrBlockFromJson, xrBlockToJson } from '../../../src/wire/rtcp/rtcp-xr-json.ts';
import { type VoipMetricsBlock, ratioToQ8 } from '../../../src/wire/rtcp/rtcp-xr-voip.ts';
import { GOLDEN, VOIP_METRICS, VOIP_METRICS_VALUES, bytesOf, decode } from './golden-xr.ts';

describe('golden blocks', () => {
  test.each(GOLDEN)('%s', (_, hex, block) => {
    expect(decode(bytesOf(hex))).toEqual([block]);
    expect(Buffer.from(encodeXrBlocks([block])).toString('hex')).toBe(bytesOf(hex).toString('hex'));
    const json = JSON.parse(JSON.stringify(xrBlockToJson(block))) as Json;
    expect(xrBlockFromJson(json)).toEqual(block);
  });

  test('all of them in one report', () => {
    const bytes = Buffer.concat(GOLDEN.map(([, hex]) => bytesOf(hex)));
    expect(decode(bytes)).toEqual(GOLDEN.map(([, , block]) => block));
    expect(bytes.subarray(-44, -8)).toEqual(VOIP_METRICS);
    expect(VOIP_METRICS.length).toBe(36);
  });

  test('what nobody knows has its own value in every field', () => {
    const unknown: VoipMetricsBlock = {
      ...VOIP_METRICS_VALUES,
      roundTripDelayMs: null,
      endSystemDelayMs: null,
      signalLevelDbm: null,
      noiseLevelDbm: null,
      rerlDb: null,
      rFactor: null,
      mosLq: null,
      mosCq: null,
      plc: null,
      jba: null,
      jbRate: null,
    };
    const bytes = Buffer.from(encodeXrBlocks([unknown]));
    expect(bytes.toString('hex', 16, 32)).toBe('000000007f7f7f107f7f7f7f0000003c');
    expect(decode(bytes)).toEqual([unknown]);
    expect(xrBlockToJson(unknown)).toMatchObject({ r_factor: null, mos_lq: null, rx_config: { plc: null, jba: null } });
  });
});

test('ratios as fractions of 256 saturate at 255', () => {
  expect([0, 0.001, 0.1, 0.5, 255 / 256, 0.999, 1, 1.5, -0.1].map(ratioToQ8)).toEqual([
    0, 0, 25, 128, 255, 255, 255, 255, 0,
  ]);
});

describe('bad input', () => {
  test('lengths that do not add up', () => {
    for (const hex of [
      '07',
      '0700',
      '07000008',
      `${VOIP_METRICS.toString('hex')}00`,
      VOIP_METRICS.toString('hex').slice(2),
    ]) {
      expect(decode(bytesOf(hex))).toBeUndefined();
    }
  });

  test('a known type of a wrong length is kept as bytes', () => {
    expect(decode(bytesOf('07000001deadbeef'))).toEqual([
      { kind: 'unknown', blockType: 7, typeSpecific: 0, bytes: Uint8Array.of(0xde, 0xad, 0xbe, 0xef) },
    ]);
  });

  test('values that do not fit their field name it', () => {
    const encode = (changes: Partial<VoipMetricsBlock>) => () =>
      encodeXrBlocks([{ ...VOIP_METRICS_VALUES, ...changes }]);
    expect(encode({ jbNominalMs: 65_536 })).toThrow(
      'jb_nominal_ms is 65536; it must be a whole number from 0 to 65535.',
    );
    expect(encode({ signalLevelDbm: -129 })).toThrow('signal_level_dbm is -129');
    expect(encode({ plc: 4 })).toThrow('plc is 4; it must be a whole number from 0 to 3.');
    expect(encode({ lossRateQ8: 0.1 })).toThrow('loss_rate is 0.1');
    expect(encode({ mosLq: 26 })).toThrow('mos_lq is 26; it must be from 1 to 5.');
    expect(() => xrBlockFromJson({ block_type: 9 })).toThrow('block_type is 9');
    expect(() => xrBlockFromJson(null)).toThrow('A block must be a JSON object.');
    expect(() => xrBlockFromJson({ block_type: 7, ssrc: 'x' })).toThrow('ssrc must be an SSRC');
    expect(() => xrBlockFromJson({ block_type: 4 })).toThrow('ntp_seconds must be a number.');
  });
});
