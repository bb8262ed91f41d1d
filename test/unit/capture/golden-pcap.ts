import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StreamTruth } from '../../lab/capture-truth.ts';

/** A capture of a real call, with the account of the relay that impaired it. */
export interface GoldenPcap {
  readonly name: string;
  readonly path: string;
  readonly pbxAddress: string;
  readonly truth: readonly StreamTruth[];
}

const DIRECTORY = join(import.meta.dirname, '../../golden/pcap');

export function goldenPcaps(): GoldenPcap[] {
  const names = readdirSync(DIRECTORY).filter((name) => name.endsWith('.pcap'));
  return names.map((name) => {
    const path = join(DIRECTORY, name);
    const about = JSON.parse(readFileSync(path.replace(/\.pcap$/, '.json'), 'utf8')) as {
      pbx_address: string;
      truth: StreamTruth[];
    };
    return { name, path, pbxAddress: about.pbx_address, truth: about.truth };
  });
}
