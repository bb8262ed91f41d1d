/** `npm run record-pcap [-- NAME …]`: captures calls on real Asterisks, with the relay's own account, as fixtures. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CAPTURE_SCENARIOS, captureCall } from './capture-scenarios.ts';
import { REPOSITORY } from './paths.ts';
import { RELEASES } from './root-filesystem.ts';

const GOLDEN = join(REPOSITORY, 'test/golden/pcap');

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !CAPTURE_SCENARIOS.some((scenario) => scenario.name === name));
if (unknown !== undefined) {
  const names = CAPTURE_SCENARIOS.map(({ name }) => name).join(', ');
  process.stderr.write(`There is no capture ${unknown}; there are ${names}.\n`);
  process.exit(2);
}
mkdirSync(GOLDEN, { recursive: true });
for (const scenario of CAPTURE_SCENARIOS.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  process.stderr.write(`${scenario.name}: ${scenario.description} …\n`);
  for (const release of RELEASES) {
    await captureCall(release, scenario, ({ asteriskVersion, path, pbxAddress, truth }) => {
      const base = join(GOLDEN, `${release}-${scenario.name}`);
      copyFileSync(path, `${base}.pcap`);
      const about = {
        asterisk_version: asteriskVersion,
        command: `npm run record-pcap -- ${scenario.name}`,
        recorded_at: new Date().toISOString(),
        description: scenario.description,
        network: { rx: scenario.rx, tx: scenario.tx },
        pbx_address: pbxAddress,
        truth,
      };
      // One line for each top-level name, as beside the AMI recordings.
      const lines = Object.entries(about).map(([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)}`);
      writeFileSync(`${base}.json`, `{\n${lines.join(',\n')}\n}\n`);
    });
  }
}
