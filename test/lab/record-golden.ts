/** `npm run record-golden [-- NAME …]`: records what real Asterisks say on AMI, as fixtures for the tests without one. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Lab, startLab } from './lab.ts';
import { REPOSITORY } from './paths.ts';
import { RELEASES } from './root-filesystem.ts';
import { SCENARIOS, SCENARIO_PHONES, type Scenario } from './scenarios.ts';
import { inSnakeCase } from './snake-case.ts';

const GOLDEN = join(REPOSITORY, 'test/golden/ami');
const RTCP_INTERVAL_MS = 1000;
const DIRECTIONS = ['rx', 'tx'] as const;

/** Records one scenario on a fresh lab, so that ids, sequence numbers and the relay's counts begin with it. */
async function record(release: (typeof RELEASES)[number], scenario: Scenario): Promise<void> {
  const { phones: own = SCENARIO_PHONES, rtcpIntervalMs = RTCP_INTERVAL_MS, extra = {} } = scenario.options ?? {};
  const phones = own.map((phone) => ({ ...phone, ...scenario.networks[phone.name] }));
  const lab = await startLab({ release, phones, rtcpIntervalMs, extra });
  try {
    const recorder = await lab.amiTap('golden.txt');
    await scenario.run(lab);
    // The other legs end on their own.
    await sleep(500);
    await recorder.stop();
    const base = join(GOLDEN, `${release}-${scenario.name}`);
    copyFileSync(recorder.path, `${base}.txt`);
    const [first = 0] = recorder.arrivalsMs;
    const about = {
      asterisk_version: lab.pbx.version,
      command: `npm run record-golden -- ${scenario.name}`,
      recorded_at: new Date(first).toISOString(),
      description: scenario.description,
      rtcp_interval_ms: rtcpIntervalMs,
      networks: inSnakeCase(scenario.networks),
      relay: await relayCounts(lab),
      message_arrivals_ms: recorder.arrivalsMs.map((arrivalMs) => arrivalMs - first),
    };
    // One line for each top-level name: readable, and the list of arrivals does not fill a screen.
    const lines = Object.entries(about).map(([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)}`);
    writeFileSync(`${base}.json`, `{\n${lines.join(',\n')}\n}\n`);
  } finally {
    await lab.stop();
  }
}

/** What the relay really did with the RTP of each phone that sent or got any. */
async function relayCounts(lab: Lab): Promise<Record<string, unknown>> {
  const counts: Record<string, unknown> = {};
  for (const { name } of lab.plan.phones) {
    for (const direction of DIRECTIONS) {
      const { seen, passed, lost, blocked, duplicated } = await lab.relay.truth(name, direction);
      if (seen > 0) counts[`${name} ${direction}`] = { seen, passed, lost, blocked, duplicated };
    }
  }
  return counts;
}

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !SCENARIOS.some((scenario) => scenario.name === name));
if (unknown !== undefined) {
  const names = SCENARIOS.map((scenario) => scenario.name).join(', ');
  process.stderr.write(`There is no scenario ${unknown}; there are ${names}.\n`);
  process.exit(2);
}
mkdirSync(GOLDEN, { recursive: true });
for (const scenario of SCENARIOS.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  process.stderr.write(`${scenario.name}: ${scenario.description} …\n`);
  // Both releases at once: each has a lab of its own.
  await Promise.all(RELEASES.map((release) => record(release, scenario)));
}
