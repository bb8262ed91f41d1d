import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asteriskMes } from './command.ts';

/** Explained byte by byte in test/unit/wire/rtcp-xr.test.ts. */
const BLOCK = '07000008deadbeef1a0d80050078012c00960050c5b037105d7f2b29f500003c007800f0';
/** The same in a packet: version 2, type 207, ten words and a header, from SSRC 0xbeef. */
const PACKET = `80cf000a0000beef${BLOCK}`;

describe('xr', () => {
  let directory = '';
  const path = (name: string): string => join(directory, name);

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'mes-xr-'));
    writeFileSync(path('block.hex'), `${BLOCK.slice(0, 8)} ${BLOCK.slice(8)}\n`);
    writeFileSync(path('packet.bin'), Buffer.from(PACKET, 'hex'));
    writeFileSync(path('broken.json'), '{"blocks": [');
    writeFileSync(path('wrong.json'), '{"blocks": [{"block_type": 7, "ssrc": "0x1"}]}');
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  test('decodes a VoIP Metrics block', async () => {
    const { status, stdout, stderr } = await asteriskMes(['xr', 'decode', BLOCK]);
    expect([status, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toEqual({
      blocks: [
        {
          block_type: 7,
          ssrc: '0xdeadbeef',
          loss_rate: 26,
          discard_rate: 13,
          burst_density: 128,
          gap_density: 5,
          loss_rate_q8: 26,
          discard_rate_q8: 13,
          burst_density_q8: 128,
          gap_density_q8: 5,
          burst_duration_ms: 120,
          gap_duration_ms: 300,
          round_trip_delay_ms: 150,
          end_system_delay_ms: 80,
          signal_level_dbm: -59,
          noise_level_dbm: -80,
          rerl_db: 55,
          gmin: 16,
          r_factor: 93,
          ext_r_factor: null,
          mos_lq: 4.3,
          mos_cq: 4.1,
          rx_config: { plc: 3, jba: 3, jb_rate: 5 },
          jb_nominal_ms: 60,
          jb_maximum_ms: 120,
          jb_abs_max_ms: 240,
        },
      ],
    });
  });

  test('encodes what it decoded: a block from a file, a packet from a file of bytes', async () => {
    for (const [input, hex] of [
      [path('block.hex'), BLOCK],
      [path('packet.bin'), PACKET],
      [PACKET.toUpperCase(), PACKET],
    ] as const) {
      const decoded = await asteriskMes(['xr', 'decode', input]);
      expect(decoded.status).toBe(0);
      expect(await asteriskMes(['xr', 'encode', '-'], decoded.stdout)).toEqual({
        status: 0,
        stdout: `${hex}\n`,
        stderr: '',
      });
    }
  });

  test.each([
    [['decode', '0700'], 'These 2 bytes are no row of RFC 3611 report blocks: the lengths do not add up.'],
    [['decode', '070'], 'This is no row of bytes in hexadecimal digits.'],
    [['decode', 'nowhere'], 'nowhere is neither hexadecimal digits nor a file that can be read (ENOENT).'],
    [['encode', 'broken.json'], 'broken.json is not JSON.'],
    [['encode', 'wrong.json'], 'loss_rate must be a number.'],
  ])('%j fails with one sentence', async ([command = '', argument = ''], sentence) => {
    const name = argument.endsWith('.json') ? path(argument) : argument;
    const { status, stdout, stderr } = await asteriskMes(['xr', command, name]);
    expect([status, stdout, stderr.split('\n').length]).toEqual([1, '', 2]);
    expect(stderr).toContain(sentence);
  });

  test('wrong usage', async () => {
    for (const args of [['xr'], ['xr', 'decode'], ['xr', 'recode', 'x']]) {
      const { status, stdout } = await asteriskMes(args);
      expect([status, stdout]).toEqual([2, '']);
    }
  });
});
