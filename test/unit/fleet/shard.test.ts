import { expect, test } from 'vitest';
import { cityHash64, pbxIdOf, shardOf } from '../../../src/fleet/shard.ts';

test('the shard is ClickHouse’s own', () => {
  // `SELECT cityHash64(toUInt32(n))` of ClickHouse 18.16.1.
  expect(cityHash64(7)).toBe(13_365_811_232_860_260_488n);
  expect(cityHash64(0)).toBe(4_761_183_170_873_013_810n);
  expect(cityHash64(4_294_967_295)).toBe(9_168_733_277_332_772_950n);
  expect(shardOf(7, 3)).toBe(Number(13_365_811_232_860_260_488n % 3n));
});

test('a name has one number', () => {
  // FNV-1a, 32 bit, of "a" and "foobar" (the authors' test vectors).
  expect(pbxIdOf('a')).toBe(0xe40c292c);
  expect(pbxIdOf('foobar')).toBe(0xbf9cf968);
});
