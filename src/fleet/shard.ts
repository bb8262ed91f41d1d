const MASK = (1n << 64n) - 1n;
/** ClickHouse's `intHash64`, which is what its `cityHash64` does with an integer (dbms/src/Functions/FunctionsHashing.h). */
const SALT = 0x4cf2d2baae6da887n;

/** `cityHash64(toUInt32(n))`, so that the gateway finds the shard that the Distributed table looks in. */
export function cityHash64(n: number): bigint {
  let x = BigInt(n) ^ SALT;
  x ^= x >> 33n;
  x = (x * 0xff51afd7ed558ccdn) & MASK;
  x ^= x >> 33n;
  x = (x * 0xc4ceb9fe1a85ec53n) & MASK;
  return x ^ (x >> 33n);
}

/** Which of `count` shards has the rows of this PBX. */
export function shardOf(pbxId: number, count: number): number {
  return Number(cityHash64(pbxId) % BigInt(count));
}

/** A PBX's number, from its name: FNV-1a, 32 bit. Two names that share one share a shard, and nothing else. */
export function pbxIdOf(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}
