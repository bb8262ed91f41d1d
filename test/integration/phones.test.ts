import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CdrRow, readCdrRows } from '../lab/cdr-rows.ts';
import { type Lab, startLab } from '../lab/lab.ts';
import { labObstacle } from '../lab/obstacle.ts';
import { SidecarProcess } from '../lab/sidecar-process.ts';
import { type ExpectedLeg, type Heard, LOSS_RATIO, PHONE_EXTRA, PHONE_KINDS } from './fixtures/phone-kinds.ts';
import { type RestCall, type RestChannel, type RestInterval, type RestStream, streamOf } from './fixtures/rest.ts';

/** Variables of a leg just before its call ended. */
type Variables = Readonly<Record<'MES_RX' | 'MES_TX' | 'MES_VERDICT', string>>;
interface Played {
  readonly legs: readonly (ExpectedLeg & { readonly variables: Variables })[];
}

const DIRECTIONS = ['rx', 'tx'] as const;
/** With 8 % lost the MES is 2.2 (250 packets × 8 % × 2.5 off R); these leave room for the luck of 12 s, not for a clean leg. */
const MOST_WHEN_LOSSY = 3.3;
const LEAST_WHEN_CLEAN = 4.2;

/**
 * Phones that nobody here wrote: every kind of call at once, on a server with Asterisk's default `rtcpinterval`. What each leg
 * is said to be is compared with what the relay between phone and PBX did, in the variables, the CDR, REST and the sentence.
 */
describe.runIf(labObstacle() === undefined)('calls over baresip, Linphone and SIPp', () => {
  let lab: Lab;
  let sidecar: SidecarProcess;
  const played = new Map<string, Played>();
  const failures: string[] = [];
  /** Of each channel, what rode last in its events for an ARI application that only listens. */
  const ridden = new Map<string, Record<string, string>>();
  let application: WebSocket | undefined;
  let rows: readonly CdrRow[] = [];

  beforeAll(async () => {
    const phones = PHONE_KINDS.flatMap((kind) => kind.phones);
    lab = await startLab({ release: '22', phones, rtcpIntervalMs: 5000, extra: PHONE_EXTRA });
    await lab.setPhone('queue-nobody', 'no-answer');
    sidecar = await SidecarProcess.start(lab, { httpHost: lab.pbx.host, httpPort: await lab.freePort() });
    application = await listen(lab, ridden);
    await Promise.all(
      PHONE_KINDS.map(async (kind, index) => {
        await sleep(index * 150);
        await play(kind).catch((error: unknown) => failures.push(`${kind.name}: ${String(error)}`));
      }),
    );
    await sleep(1000);
    rows = readCdrRows(lab);
  }, 110_000);
  afterAll(async () => {
    application?.terminate();
    await sidecar?.stop();
    await lab?.stop();
  });

  async function play(kind: (typeof PHONE_KINDS)[number]): Promise<void> {
    const call = await kind.play(lab);
    const read = async (channel: string, variable: string): Promise<string> =>
      (await lab.pbxAction({ Action: 'Getvar', Channel: channel, Variable: variable }))['Value'] ?? '';
    const withVariables = call.legs.map(async (expected) => {
      const { channel } = expected.leg;
      const variables = {
        MES_RX: await read(channel, 'MES_RX'),
        MES_TX: await read(channel, 'MES_TX'),
        MES_VERDICT: await read(channel, 'MES_VERDICT'),
      };
      return { ...expected, variables };
    });
    played.set(kind.name, { legs: await Promise.all(withVariables) });
    await call.end();
  }

  const legsOf = (name: string): Played['legs'] => played.get(name)?.legs ?? [];

  test('every call went as it should', () => {
    expect(failures).toEqual([]);
    expect(played.size).toBe(PHONE_KINDS.length);
  });

  describe.each(PHONE_KINDS.map(({ name }) => name))('%s', (name) => {
    test('the variables', () => {
      for (const { leg, variables, ...expected } of legsOf(name)) {
        for (const direction of DIRECTIONS) {
          const variable = direction === 'rx' ? variables.MES_RX : variables.MES_TX;
          expect(fits(expected[direction], variable), `${leg.phone} ${direction} ${variable}`).toBe(true);
        }
      }
    });

    test('the CDR row of the caller', () => {
      const [caller, callee] = legsOf(name);
      const row = rows.findLast(({ uniqueid }) => uniqueid === caller?.leg.uniqueid);
      const seen = [
        [caller?.rx, row?.mes_rx],
        [caller?.tx, row?.mes_tx],
        ...(name.includes('conference')
          ? []
          : [[callee?.rx, row?.mes_peer_rx] as const, [callee?.tx, row?.mes_peer_tx] as const]),
      ] as const;
      for (const [expected, field] of seen) expect(fits(expected, field), `${expected}: ${field}`).toBe(true);
    });

    test('REST, against what the relay let through', async () => {
      for (const { leg, ...expected } of legsOf(name)) {
        const channel = await sidecar.get<RestChannel>(`/v1/channels/${leg.uniqueid}`);
        const path = `/v1/channels/${leg.uniqueid}/intervals`;
        const { intervals } = await sidecar.get<{ intervals: RestInterval[] }>(path);
        for (const direction of DIRECTIONS) {
          const stream = streamOf(channel, direction);
          expect(fits(expected[direction], stream.mes), `${leg.phone} ${direction} ${stream.mes}`).toBe(true);
          if (stream.mes === null) continue;
          const lastAtMs = Date.parse(intervals.findLast((interval) => interval.direction === direction)?.at ?? '');
          const truth = await lab.relay.truth(leg.phone, direction);
          const known = truth.packets.filter(({ arrivalMs }) => arrivalMs <= lastAtMs);
          const lost = known.filter(({ outcome }) => outcome === 'lost').length;
          expect(known.length).toBeGreaterThan(400);
          // A packet or two may have been between the relay and who counts them.
          expect(Number(stream.packets_lost)).toBeLessThanOrEqual(lost + 3);
          // Of what was lost around a hold nobody can tell.
          const least = name.startsWith('hold') ? 0 : lost - 3;
          expect(Number(stream.packets_lost)).toBeGreaterThanOrEqual(least);
        }
      }
    });

    test('the sentence', async () => {
      for (const { leg, ...expected } of legsOf(name)) {
        const channel = await sidecar.get<RestChannel>(`/v1/channels/${leg.uniqueid}`);
        for (const direction of DIRECTIONS) {
          const stream = streamOf(channel, direction);
          expect(stream.why).toMatch(sentenceOf(stream, leg.phone, expected[direction]));
          expect(stream.loss_percent ?? 0).toBeLessThan(LOSS_RATIO * 100 + 4);
        }
      }
    });
  });

  test("live scores ride in each event of a channel's, for any ARI application", () => {
    for (const { leg, variables } of legsOf('plain')) {
      expect(ridden.get(leg.uniqueid)).toMatchObject({ MES_RX: variables.MES_RX, MES_VERDICT: variables.MES_VERDICT });
      expect(variables.MES_VERDICT).toBe(leg.phone.endsWith('lossy') ? 'bad' : 'good');
    }
  });

  test('ARI tells the jitter of every packet, which AMI does not', async () => {
    for (const { leg } of legsOf('plain')) {
      const rx = streamOf(await sidecar.get<RestChannel>(`/v1/channels/${leg.uniqueid}`), 'rx');
      expect(rx.packet_jitter_mean_ms).toBeGreaterThan(0);
      // No packet was held back but by this machine.
      expect(rx.packet_jitter_mean_ms).toBeLessThan(20);
    }
  });

  test.each(['plain', 'Linphone', 'from baresip to Linphone', 'SDES', 'G.722', 'Opus', 'Dial with tTkK'])(
    '%s: the fault is placed between the callee and this server',
    async (name) => {
      const [caller, callee] = legsOf(name);
      const { linkedid } = await sidecar.get<RestChannel>(`/v1/channels/${caller?.leg.uniqueid}`);
      const call = await sidecar.get<RestCall>(`/v1/calls/${linkedid}`);
      expect(call.fault_place).toBe('callee-network');
      expect(call.fault_why).toContain(`PJSIP/${callee?.leg.phone}`);
    },
  );
});

/** A small application that asks nothing: live quality comes in each event of a channel, though none of them is in Stasis. */
async function listen(lab: Lab, ridden: Map<string, Record<string, string>>): Promise<WebSocket> {
  const url = lab.pbx.ariUrl.replace(/^http/, 'ws');
  const socket = new WebSocket(`${url}/events?app=crm&subscribeAll=true&api_key=crm:${lab.plan.labSecret}`);
  socket.on('message', (data: Buffer) => {
    const { channel } = JSON.parse(data.toString()) as {
      channel?: { id: string; channelvars?: Record<string, string> };
    };
    if (channel?.channelvars !== undefined) ridden.set(channel.id, channel.channelvars);
  });
  await once(socket, 'open');
  return socket;
}

/** How the sentence about a direction must go on. */
function sentenceOf({ direction, mes, loss_percent: lossPercent }: RestStream, phone: string, heard: Heard): RegExp {
  const way = `${direction === 'rx' ? 'from' : 'to'} PJSIP/${phone}`;
  if (mes === null) {
    return heard === 'unknown'
      ? /^The far end sent no RTCP/
      : /does not send any more, so how the audio .* is not known\.$/;
  }
  if (heard.startsWith('lossy'))
    return new RegExp(`^(?:${roundings(lossPercent ?? 0)}) % of the audio ${way} was lost`);
  return new RegExp(`^The audio ${way} was fine`);
}

/** A percentage as REST rounds it to two decimals, with one: 7.65 is 7.6 or 7.7 by what was cut off. */
function roundings(percent: number): string {
  return [percent - 0.005, percent + 0.005].map((value) => value.toFixed(1).replace('.', '\\.')).join('|');
}

/** Whether a score is what the network did to the leg; a score between the two fits nothing. */
function fits(expected: Heard | undefined, score: string | number | null | undefined): boolean {
  if (expected === undefined) return false;
  if (score === null || score === undefined || score === '') return expected.endsWith('unknown');
  const mes = Number(score);
  if (expected.startsWith('clean')) return mes >= LEAST_WHEN_CLEAN && mes <= 4.5;
  return expected.startsWith('lossy') && mes >= 1 && mes <= MOST_WHEN_LOSSY;
}
