import { type ChildProcess, spawn } from 'node:child_process';
import { type Socket, createSocket } from 'node:dgram';
import { existsSync, readFileSync } from 'node:fs';
import { type Server, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitForCdrRow } from '../lab/cdr-rows.ts';
import { type Lab, startLab } from '../lab/lab.ts';
import { labIsReady } from '../lab/obstacle.ts';
import { RUN_HOME, sweepOrphans } from '../lab/paths.ts';
import { type LabTraces, leftoversOf, look } from './fixtures/leftovers.ts';

const hasLab = labIsReady();

function tracesOf(lab: Lab): LabTraces {
  return {
    host: lab.pbx.host,
    pids: [lab.pbxInstance.pid, lab.farmInstance.pid],
    directories: [lab.pbxInstance.runDirectory, lab.farmInstance.runDirectory],
  };
}

/** Packets of a pcap file from one UDP port range of an address to another address. */
function countPackets(path: string, fromPrefix: string, to: string, isRtp: (port: number) => boolean): number {
  const file = readFileSync(path);
  const ethernet = 14;
  let count = 0;
  for (let at = 24; at + 16 <= file.length; at += 16 + file.readUInt32LE(at + 8)) {
    const ip = at + 16 + ethernet;
    const source = file.subarray(ip + 12, ip + 16).join('.');
    const target = file.subarray(ip + 16, ip + 20).join('.');
    if (source.startsWith(fromPrefix) && target === to && isRtp(file.readUInt16BE(ip + 22))) count += 1;
  }
  return count;
}

describe.runIf(hasLab)('one lab', () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({
      release: '22',
      phones: [
        {
          name: 'alice',
          rx: { delayMs: 60, lossRatio: 0.05, rtcp: 'delay' },
          tx: { delayMs: 40, lossRatio: 0.05, rtcp: 'delay' },
        },
        { name: 'bob', rx: { duplicateRatio: 0.1, rtcp: 'delay' } },
        { name: 'carol', rx: { blocked: true, rtcp: 'untouched' } },
        { name: 'dave', codecs: ['g722'] },
      ],
    });
  });
  afterAll(() => lab.stop());

  test('loss, delay and duplicates are what the network was told to do', async () => {
    const recorder = await lab.capture('network.pcap');
    const since = lab.pbxInstance.ami.mark();
    const call = await lab.call('alice', 'bob');
    await sleep(10_500);
    await call.hangup('caller');
    // The callee hears of it a moment later.
    await sleep(300);
    await recorder.stop();

    const truth = await lab.relay.truth('alice', 'rx');
    expect(truth.seen).toBeGreaterThan(480);
    expect(truth.seen).toBeLessThan(560);
    expect(truth.passed + truth.lost).toBe(truth.seen);
    const errors = truth.packets.flatMap((packet) =>
      packet.sentMs === null || packet.dueMs === null ? [] : [packet.sentMs - packet.dueMs],
    );
    // A few packets may wait for a busy machine; half of them do not.
    const medianError = errors.toSorted((one, other) => one - other)[Math.floor(errors.length / 2)] ?? NaN;
    expect(errors.length).toBeGreaterThan(400);
    expect(medianError).toBeGreaterThan(-0.7);
    expect(medianError).toBeLessThan(2);

    // Asterisk's own count of losses is the relay's, up to the highest sequence number that each report knows.
    const reports = lab.pbxInstance.ami
      .events(since)
      .filter((event) => event['Uniqueid'] === call.caller.uniqueid && event['Report0HighestSequence'] !== undefined);
    const measuredHere = reports.filter((event) => event['Event'] === 'RTCPSent');
    expect(measuredHere.length).toBeGreaterThanOrEqual(9);
    for (const event of measuredHere) {
      const highest = Number(event['Report0HighestSequence']);
      const at = truth.packets.findIndex((packet) => packet.sequence === highest);
      expect(at).toBeGreaterThan(0);
      const lost = truth.packets.slice(0, at).filter((packet) => packet.outcome === 'lost').length;
      const before = truth.packets.findIndex((packet) => packet.outcome === 'passed');
      expect(Number(event['Report0CumulativeLost'])).toBe(lost - before);
    }
    const roundTrips = reports
      .filter((event) => event['Event'] === 'RTCPReceived' && event['Report0LSR'] !== '0')
      .map((event) => Number(event['RTT']) * 1000);
    expect(roundTrips.length).toBeGreaterThanOrEqual(8);
    // One RTCP packet may wait for a busy machine; half of them do not.
    expect(Math.min(...roundTrips)).toBeGreaterThan(98);
    expect(roundTrips.toSorted((one, other) => one - other)[Math.floor(roundTrips.length / 2)]).toBeLessThan(108);

    // The wire agrees with the relay's own account of duplicates.
    const fromBob = await lab.relay.truth('bob', 'rx');
    expect(fromBob.duplicated).toBeGreaterThan(25);
    expect(fromBob.duplicated).toBeLessThan(80);
    const bobFront = lab.plan.phones[1]?.phoneFront ?? '';
    const onTheWire = (): number =>
      countPackets(recorder.path, bobFront, lab.pbx.host, (port) => port >= 20_000 && port % 2 === 0);
    // tcpdump writes them a little later.
    await expect.poll(onTheWire).toBe(fromBob.passed + fromBob.duplicated);
  });

  test('a blocked direction is a one-way call, and a profile can change while it is up', async () => {
    const call = await lab.call('dave', 'carol');
    await sleep(2000);
    const blocked = await lab.relay.truth('carol', 'rx');
    expect(blocked.passed).toBe(0);
    expect(blocked.blocked).toBeGreaterThan(80);
    expect((await lab.relay.truth('carol', 'tx')).passed).toBeGreaterThan(80);
    await lab.relay.setProfile('carol', 'rx', {});
    await sleep(1000);
    const open = await lab.relay.truth('carol', 'rx');
    expect(open.blocked).toBeLessThanOrEqual(blocked.blocked + 3);
    expect(open.passed).toBeGreaterThan(40);
    await call.hangup('callee');
    const row = await waitForCdrRow(lab, call.caller.uniqueid);
    expect(row.channel).toBe(call.caller.channel);
    expect(row.dstchannel).toBe(call.callee?.channel);
    expect(row.disposition).toBe('ANSWERED');
  });

  test('a phone puts a call on hold and takes it back', async () => {
    const call = await lab.call('alice', 'dave');
    const held = lab.pbxEvent((event) => event['Event'] === 'Hold');
    await call.hold('callee');
    expect((await held)['Uniqueid']).toBe(call.callee?.uniqueid);
    const taken = lab.pbxEvent((event) => event['Event'] === 'Unhold');
    await call.unhold('callee');
    expect((await taken)['Uniqueid']).toBe(call.callee?.uniqueid);
    await call.hangup('caller');
  });

  test('a phone that is busy is named as the reason', async () => {
    await lab.setPhone('bob', 'busy');
    await expect(lab.call('alice', 'bob')).rejects.toThrow(/not answered: User busy/);
    await lab.setPhone('bob', 'speech');
  });

  test('the PBX can crash and come back', async () => {
    const { pid } = lab.pbxInstance;
    await lab.pbxInstance.kill();
    expect(existsSync(`/proc/${pid}`)).toBe(false);
    await lab.pbxInstance.start();
    expect(lab.pbxInstance.pid).not.toBe(pid);
    const call = await lab.call('alice', '600');
    expect(call.callee).toBe(undefined);
    await call.hangup('caller');
  });
});

describe.runIf(hasLab)('several labs', () => {
  const occupied: (Server | Socket)[] = [];

  beforeAll(async () => {
    // As an Asterisk of the machine's owner would; one that really runs here does just as well.
    const sip = createSocket('udp4').on('error', () => undefined);
    const ami = createServer().on('error', () => undefined);
    sip.bind(5060);
    ami.listen(5038);
    occupied.push(sip, ami);
    await sleep(50);
  });
  afterAll(() => {
    for (const socket of occupied) socket.close();
  });

  test('22 and 16 run side by side, beside an Asterisk on the usual ports, and leave nothing', async () => {
    const labs = await Promise.all([startLab({ release: '22' }), startLab({ release: '16' })]);
    const traces = labs.map(tracesOf);
    const calls = await Promise.all(labs.map((lab) => lab.call('alice', 'bob')));
    await sleep(1500);
    for (const lab of labs) {
      const { seen } = await lab.relay.truth('alice', 'tx');
      expect(seen).toBeGreaterThan(50);
      expect(seen).toBeLessThan(120);
      expect(lab.pbx.version.startsWith(`${lab.pbx.release}.`)).toBe(true);
    }
    expect(new Set(labs.map((lab) => lab.pbx.host)).size).toBe(2);
    await Promise.all(calls.map((call) => call.hangup('caller')));
    expect(traces.map((trace) => look(trace).length > 100)).toStrictEqual([true, true]);
    await Promise.all(labs.map((lab) => lab.stop()));
    for (const trace of traces) {
      expect(await leftoversOf(trace)).toStrictEqual([]);
      expect(trace.directories.filter((directory) => existsSync(directory))).toStrictEqual([]);
    }
  });
});

describe.runIf(hasLab)('the end of the process that owns a lab', () => {
  const owners: ChildProcess[] = [];
  afterAll(() => {
    for (const owner of owners) owner.kill('SIGKILL');
  });

  async function startOwner(): Promise<{ owner: ChildProcess; traces: LabTraces }> {
    const script = fileURLToPath(new URL('fixtures/lab-owner.ts', import.meta.url));
    const owner = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    owners.push(owner);
    const line = await new Promise<string>((resolve, reject) => {
      owner.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString()));
      owner.once('exit', () => reject(new Error('The owner ended early.')));
    });
    return { owner, traces: JSON.parse(line) as LabTraces };
  }

  test.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)('by %s leaves no process, mount or socket', async (signal) => {
    const { owner, traces } = await startOwner();
    expect(look(traces).length).toBeGreaterThan(100);
    const ended = new Promise((resolve) => {
      owner.once('exit', (_status, killedBy) => resolve(killedBy));
    });
    owner.kill(signal);
    expect(await ended).toBe(signal);
    expect(await leftoversOf(traces)).toStrictEqual([]);
    // Only a killed process cannot remove its folders; the next lab does.
    if (signal === 'SIGKILL') sweepOrphans(RUN_HOME);
    expect(traces.directories.filter((directory) => existsSync(directory))).toStrictEqual([]);
  });
});
