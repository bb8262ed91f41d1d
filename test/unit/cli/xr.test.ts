import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asteriskMes } from './command.ts';

/** Explained byte by byte in test/unit/wire/rtcp-xr.test.ts. */
const BLOCK = '07000008deadbeef1a0d80050078012c00960050c5b037105d7f2b29f500003c007800f0';
/** The same in a packet: version 2, type 207, ten words and a header, from SSRC 0xbeef. */
const PACKET = `80cf000a0000beef${BLOCK}`;
/** RTCP as it is on the wire: an RR without blocks, an SDES with the CNAME "a@b", and the report with 4 bytes of padding. */
const RECEIVER_REPORT = '80c900010000beef';
const DESCRIPTION = '81ca00030000beef0103614062000000';
const PADDED = `a0cf000b0000beef${BLOCK}00000004`;
const COMPOUND = `${RECEIVER_REPORT}${DESCRIPTION}${PADDED}`;

/** A block as a person writes it, without the bytes. */
const WRITTEN = JSON.stringify({
  block_type: 7,
  ssrc: '0xdeadbeef',
  loss_rate: 0.105,
  discard_rate: 0.051,
  burst_density: 0.5,
  gap_density: 0.02,
  burst_duration_ms: 120,
  gap_duration_ms: 300,
  round_trip_delay_ms: 150,
  end_system_delay_ms: 80,
  signal_level_dbm: -59,
  noise_level_dbm: -80,
  rerl_db: 55,
  gmin: 16,
  r_factor: 93,
  mos_lq: 4.3,
  mos_cq: 4.1,
  rx_config: { plc: 3, jba: 3, jb_rate: 5 },
  jb_nominal_ms: 60,
  jb_maximum_ms: 120,
  jb_abs_max_ms: 240,
});

describe('xr', () => {
  let directory = '';
  const path = (name: string): string => join(directory, name);

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'mes-xr-'));
    writeFileSync(path('block.hex'), `${BLOCK.slice(0, 8)} ${BLOCK.slice(8)}\n`);
    writeFileSync(path('packet.bin'), Buffer.from(PACKET, 'hex'));
    writeFileSync(path('compound.bin'), Buffer.from(COMPOUND, 'hex'));
    const disagreeing = { ...JSON.parse(WRITTEN), loss_rate: 0.5, loss_rate_q8: 26 } as object;
    writeFileSync(path('disagreeing.json'), JSON.stringify({ blocks: [disagreeing] }));
    writeFileSync(path('broken.json'), '{"blocks": [');
    writeFileSync(path('wrong.json'), '{"blocks": [{"block_type": 7, "ssrc": "0x1"}]}');
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  test('decodes the example of its own help', async () => {
    const help = (await asteriskMes(['xr', 'decode', '--help'])).stdout;
    const digits = [...help.matchAll(/asterisk-mes xr decode ([0-9a-f]+)$/gm)].map(([, hex]) => hex ?? '');
    expect(digits).toHaveLength(1);
    const { status, stdout, stderr } = await asteriskMes(['xr', 'decode', ...digits]);
    expect([status, stderr]).toEqual([0, '']);
    // The bytes are SSRC 037e3e82 and block type 4 (receiver reference time, RFC 3611 4.4): NTP's second 0x83aa7e80 is 1970.
    expect(JSON.parse(stdout)).toMatchObject({ sender_ssrc: '0x037e3e82', blocks: [{ block_type: 4 }] });
  });

  test('decodes a VoIP Metrics block', async () => {
    const { status, stdout, stderr } = await asteriskMes(['xr', 'decode', BLOCK]);
    expect([status, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toEqual({
      blocks: [
        {
          block_type: 7,
          ssrc: '0xdeadbeef',
          // 26, 13, 128 and 5 of 256.
          loss_rate: 0.1015625,
          discard_rate: 0.05078125,
          burst_density: 0.5,
          gap_density: 0.01953125,
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
      [COMPOUND, COMPOUND],
      [path('compound.bin'), COMPOUND],
      [`${PADDED}${RECEIVER_REPORT}${PACKET}`, `${PADDED}${RECEIVER_REPORT}${PACKET}`],
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

  test('finds the blocks in compound RTCP', async () => {
    const { status, stdout } = await asteriskMes(['xr', 'decode', COMPOUND]);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      packets: [
        { hex: RECEIVER_REPORT },
        { hex: DESCRIPTION },
        { sender_ssrc: '0x0000beef', block_count: 1, padding_hex: '00000004' },
      ],
      blocks: [{ block_type: 7, ssrc: '0xdeadbeef', loss_rate_q8: 26, r_factor: 93 }],
    });
  });

  test('takes what a phone sent behind its receiver report', async () => {
    const phone =
      '80c90001aabbccdd80cf000a037e3e82070000087492416e1700760200ea0398003d00007f7f7f10277f14142000003c00780078';
    const { status, stdout } = await asteriskMes(['xr', 'decode', phone]);
    expect(status).toBe(0);
    const { blocks } = JSON.parse(stdout) as { blocks: unknown[] };
    expect(blocks.length).toBe(1);
    expect(blocks[0]).toMatchObject({
      block_type: 7,
      ssrc: '0x7492416e',
      loss_rate_q8: 0x17,
      burst_density_q8: 0x76,
      burst_duration_ms: 0xea,
      gap_duration_ms: 0x398,
      round_trip_delay_ms: 0x3d,
      r_factor: 0x27,
      mos_lq: 2,
      jb_nominal_ms: 60,
    });
  });

  test('values out of their range are unknown (RFC 3611 §4.7.5)', async () => {
    // R 200, external R 255, MOS-LQ 0, MOS-CQ 6.0, Gmin 0.
    const bytes = `${BLOCK.slice(0, 46)}00c8ff003c${BLOCK.slice(56)}`;
    const { stdout } = await asteriskMes(['xr', 'decode', bytes]);
    const { blocks } = JSON.parse(stdout) as { blocks: unknown[] };
    expect(blocks[0]).toMatchObject({ gmin: null, r_factor: null, ext_r_factor: null, mos_lq: null, mos_cq: null });
    expect(blocks[0]).toMatchObject({ rerl_db: 55, rx_config: { plc: 3 }, jb_nominal_ms: 60 });
  });

  test('encodes ratios without their bytes', async () => {
    const { status, stdout } = await asteriskMes(['xr', 'encode', '-'], `{"blocks": [${WRITTEN}]}`);
    expect([status, stdout]).toEqual([0, `${BLOCK}\n`]);
  });

  test.each([
    [{ r_factor: 101 }, 'r_factor is 101; it must be a whole number from 0 to 100.'],
    [{ ext_r_factor: -1 }, 'ext_r_factor is -1'],
    [{ mos_lq: 0.9 }, 'mos_lq is 0.9; it must be from 1 to 5.'],
    [{ mos_cq: 5.1 }, 'mos_cq is 5.1'],
    [{ gmin: 0 }, 'gmin is 0; it must be a whole number from 1 to 255.'],
    [{ gmin: null }, 'gmin is null'],
    [{ loss_rate: 26 }, 'loss_rate is 26; it must be a ratio from 0 to 1.'],
    [{ discard_rate_q8: 14.5 }, 'discard_rate'],
  ])('does not send %j', async (change, sentence) => {
    const block = { ...(JSON.parse(WRITTEN) as object), ...change };
    const { status, stdout, stderr } = await asteriskMes(['xr', 'encode', '-'], JSON.stringify({ blocks: [block] }));
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain(sentence);
  });

  test.each([
    [
      ['decode', '0700'],
      'These 2 bytes are no row of RFC 3611 report blocks: the lengths do not add up; give whole blocks.',
    ],
    [['decode', '070'], 'This is no row of bytes in hexadecimal digits; give two digits for each byte.'],
    [
      ['decode', 'nowhere'],
      'nowhere is no file that can be read (ENOENT); give hexadecimal digits, or a file with the bytes.',
    ],
    [
      ['encode', 'nowhere'],
      '(ENOENT); name a file with what "asterisk-mes xr decode" printed, or - for standard input.',
    ],
    [['decode', '80c90002aabbccdd'], 'begin as RTCP, but the lengths of its packets do not add up'],
    [
      ['decode', `${RECEIVER_REPORT}${DESCRIPTION}`],
      'This is RTCP of type 201, 202 without an extended report (type 207); give a packet that has one.',
    ],
    [
      ['decode', `a0cf000b0000beef${BLOCK}00000005`],
      'The lengths in the extended report (type 207) do not add up; give the whole packet.',
    ],
    [['encode', 'disagreeing.json'], 'loss_rate is 0.5, which is 128 of 256, but loss_rate_q8 is 26; make them agree'],
    [['encode', 'broken.json'], 'broken.json is not JSON; give what "asterisk-mes xr decode" printed.'],
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
