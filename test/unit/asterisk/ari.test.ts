import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Ari, AriError } from '../../../src/asterisk/ari.ts';
import { readRtpStatistics } from '../../../src/asterisk/ari-statistics.ts';
import type { LinkState } from '../../../src/asterisk/link-state.ts';

const ends: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function serve(status: number, body: string): Promise<{ url: string; server: Server; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, asked };
}

function ariFor(url: string): { ari: Ari; states: LinkState[] } {
  const states: LinkState[] = [];
  const ari = new Ari({
    connection: { url, username: 'mes', password: 'top-secret', app: 'mes' },
    onState: (state) => states.push(state),
    random: () => 0,
    backOff: { minMs: 10, maxMs: 20 },
    callTimeoutMs: 500,
  });
  ends.push(() => ari.stop());
  ari.start();
  return { ari, states };
}

describe('Ari', () => {
  it('gives up on a wrong password with one sentence, before the package sees it', async () => {
    const { url, asked } = await serve(401, '{"error":"Authentication required"}');
    const { ari, states } = ariFor(`${url}/ari`);
    await expect.poll(() => states).toHaveLength(2);
    expect(states[1]).toEqual({
      status: 'failed',
      problem: `Asterisk's ARI at ${url} refused the user "mes"; check username and password in [ari] against ari.conf`,
    });
    expect(asked).toEqual(['/ari/asterisk/info?only=system']);
    await expect(ari.rtpStatistics('1.1')).rejects.toThrow(AriError);
    await expect(ari.rtpStatistics('1.1')).rejects.toThrow('is not connected');
  });

  it('keeps trying while ARI is switched off, or nothing is there', async () => {
    const { url, asked } = await serve(404, '');
    const { states } = ariFor(url);
    await expect.poll(() => asked.length).toBeGreaterThan(2);
    expect(states).toHaveLength(2);
    expect(states[1]).toMatchObject({ status: 'waiting', problem: expect.stringContaining('HTTP status 404') });
    const nobody = ariFor('http://127.0.0.1:9');
    await expect.poll(() => nobody.states[1]).toMatchObject({ problem: expect.stringContaining('cannot be reached') });
  });

  it('tells no password to a server whose certificate nobody vouches for', async () => {
    const pem = (name: string): string => readFileSync(new URL(`tls/${name}.pem`, import.meta.url), 'utf8');
    const asked: string[] = [];
    const server = createTlsServer({ cert: pem('certificate'), key: pem('key') }, (request) => {
      asked.push(request.url ?? '');
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    ends.push(async () => void server.close());
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { states } = ariFor(url);
    await expect.poll(() => states).toHaveLength(2);
    expect(states[1]).toEqual({
      status: 'waiting',
      problem:
        `The certificate of Asterisk's ARI at ${url} is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT); start asterisk-mes ` +
        'with the environment variable NODE_EXTRA_CA_CERTS naming the file of its authority, and check that url in ' +
        '[ari] is the name in the certificate',
    });
    expect(asked).toEqual([]);
  });

  it('survives a server that is not ARI at all, on which the package throws where nobody can catch', async () => {
    const { url } = await serve(200, 'surprise');
    const { ari, states } = ariFor(url);
    await vi.waitFor(() => expect(states[1]).toMatchObject({ status: 'waiting' }), { timeout: 10_000 });
    expect(ari.connected).toBe(false);
    expect(JSON.stringify(states)).not.toContain('top-secret');
  });
});

/** Asterisk 22.10.1's answer on a loopback call, shortened to what is read, with jitter and loss put in. */
const BODY = {
  txcount: 353,
  rxcount: 350,
  txploss: 2,
  rxploss: 3,
  local_ssrc: 468_825_120,
  remote_ssrc: 1_471_529_793,
  txjitter: 0.5,
  rxjitter: 0.25,
  remote_normdevjitter: 0.125,
  local_normdevjitter: 0.0125,
  local_stdevjitter: 0.00375,
  rtt: 0.000228,
};

describe('readRtpStatistics', () => {
  it('takes what we measured for rx, and seconds for what they are', () => {
    expect(readRtpStatistics(BODY)).toEqual({
      rxPackets: 350,
      rxLostPackets: 3,
      txPackets: 353,
      txLostPackets: 2,
      localSsrc: 468_825_120,
      remoteSsrc: 1_471_529_793,
      rxJitterMeanMs: 12.5,
      rxJitterStdevMs: 3.75,
    });
  });

  it('leaves out what says nothing', () => {
    const silent = { ...BODY, rxcount: 0, txploss: 0, rxjitter: 0, rtt: 0, rxploss: 0, remote_ssrc: 0 };
    expect(readRtpStatistics(silent)).toEqual({
      rxPackets: 0,
      rxLostPackets: 0,
      txPackets: 353,
      localSsrc: 468_825_120,
    });
    expect(readRtpStatistics({ ...silent, remote_maxjitter: 0.001 })).toMatchObject({ txLostPackets: 0 });
  });

  it.each([undefined, null, 'x', 7, [], {}, { rxcount: '5' }, { rxcount: -1 }, { rxcount: 1.5 }])(
    'gives nothing for %j',
    (body) => {
      expect(readRtpStatistics(body)).toBeUndefined();
    },
  );
});
