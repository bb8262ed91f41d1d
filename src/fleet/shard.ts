const MASK = (1n << 64n) - 1n;
/** ClickHouse's `intHash64`, which is what its `cityHash64` does with an integer (dbms/src/Functions/FunctionsHashing.h). */
const SALT = 0x4cf2d2baae6da887n;

/** ClickHouse's `cityHash64(toUInt32(n))`, by which a Distributed table chooses the shard. */
export function cityHash64(n: number): bigint {
  let x = BigInt(n) ^ SALT;
  x ^= x >> 33n;
  x = (x * 0xff51afd7ed558ccdn) & MASK;
  x ^= x >> 33n;
  x = (x * 0xc4ceb9fe1a85ec53n) & MASK;
  return x ^ (x >> 33n);
}

/** The index of the shard, of `count`, that has the rows of this PBX. */
export function shardOf(pbxId: number, count: number): number {
  return Number(cityHash64(pbxId) % BigInt(count));
}

/** A number from the name of a PBX: FNV-1a, 32 bit. Two names with the same number share a shard, nothing more. */
export function pbxIdOf(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}
