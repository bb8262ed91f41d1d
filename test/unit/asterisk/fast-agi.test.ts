import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { COUNTERS, ends, environment, hangUp, IN_EARNEST, rig, SLACK_MS } from './agi-rig.ts';

describe('FastAgiServer', () => {
  it('asks for the counters, and writes the final scores', async () => {
    const { server, port, asked } = await rig();
    const { commands } = await hangUp(port);
    expect(commands).toEqual([
      'GET FULL VARIABLE "$'.concat('{CHANNEL(rtcp,all)}"'),
      'SET VARIABLE ARRAY(MES,MES_VERDICT,CDR(mes),CDR(mes_tx),CDR(mes_verdict)) "4.31,good,4.31,,bad"',
    ]);
    expect(asked).toMatchObject([
      { uniqueid: '1795171767.22', counters: { rxPackets: 277, rxLostPackets: 3, txLostPackets: 1 } },
    ]);
    expect(server.counters).toEqual({ answered: 1, unknown: 0, late: 0, failed: 0, refused: 0 });
  });

  it('asks for what a phone said in its BYE where Asterisk can tell: of chan_sip', async () => {
    const asked: (string | undefined)[] = [];
    const { port } = await rig({
      onHangup: async (_uniqueid, _counters, byeStatistics) => {
        asked.push(byeStatistics);
        return undefined;
      },
    });
    const said = 'PR=399;PL=0,0;JI=2.0,4.0|';
    const answers = (command: string): string => `200 result=1 (${command.includes('SIP_HEADER') ? said : ''})\n`;
    const of = (channel: string): string => environment().replace(/^agi_channel: .*$/m, `agi_channel: ${channel}`);
    const { commands } = await hangUp(port, of('SIP/alice-00000001'), answers);
    expect(commands).toHaveLength(2);
    await hangUp(port, of('PJSIP/alice-00000001'), answers);
    expect(asked).toEqual([said, undefined]);
  });

  it('honours the settings of write-back', async () => {
    const { port } = await rig({ variables: false });
    expect((await hangUp(port)).commands[1]).toBe(
      'SET VARIABLE ARRAY(CDR(mes),CDR(mes_tx),CDR(mes_verdict)) "4.31,,bad"',
    );
  });

  it('gives a channel without RTP its final scores too', async () => {
    const { port, asked } = await rig();
    await hangUp(port, environment(), (command) =>
      command.startsWith('GET') ? '200 result=1 ()\n' : '200 result=1\n',
    );
    expect(asked).toEqual([{ uniqueid: '1795171767.22', counters: undefined }]);
  });

  it('lets a channel go at once that nobody knows, and another script even sooner', async () => {
    const { server, port } = await rig({ onHangup: () => Promise.resolve(undefined) });
    let tries = 0;
    const tookMs: number[] = [];
    // A busy machine may hold up some, not all.
    do {
      tries++;
      const unknown = await hangUp(port);
      expect(unknown.commands).toHaveLength(1);
      const foreign = await hangUp(port, environment('rm'));
      expect(foreign.commands).toEqual([]);
      const nameless = await hangUp(port, environment('hangup', ''));
      expect(nameless.commands).toEqual([]);
      tookMs.push(Math.max(unknown.tookMs, foreign.tookMs, nameless.tookMs));
    } while (tries < 20 && Math.min(...tookMs) >= 50);
    expect(Math.min(...tookMs)).toBeLessThan(50);
    expect(server.counters).toMatchObject({ answered: 0, unknown: tries, refused: 2 * tries });
  });

  it('knows an IPv4 peer also on a port that is open for both', async () => {
    const { port } = await rig({ host: '::' });
    expect((await hangUp(port)).commands).toHaveLength(2);
  });

  it('is done in 50 ms, even when the answer is not', async () => {
    const { server, port } = await rig({ ...IN_EARNEST, onHangup: () => new Promise(() => {}) });
    const { tookMs, commands } = await hangUp(port);
    expect(tookMs).toBeGreaterThan(40);
    expect(tookMs).toBeLessThan(50 + SLACK_MS);
    expect(commands).toHaveLength(1);
    expect(server.counters.late).toBe(1);
  });

  it('is done in 50 ms when Asterisk does not answer', async () => {
    const { server, port } = await rig(IN_EARNEST);
    const { tookMs } = await hangUp(port, environment(), () => undefined);
    expect(tookMs).toBeGreaterThan(40);
    expect(tookMs).toBeLessThan(50 + SLACK_MS);
    expect(server.counters.late).toBe(1);
  });

  it('takes a value that Asterisk refuses to set for a failure', async () => {
    const { server, port } = await rig();
    await hangUp(port, environment(), (command) =>
      command.startsWith('GET') ? `200 result=1 (${COUNTERS})\n` : '511 Command Not Permitted on a dead channel\n',
    );
    expect(server.counters).toMatchObject({ answered: 0, failed: 1 });
  });

  it('says in one sentence why it cannot listen', async () => {
    const { port } = await rig();
    await expect(rig({ port })).rejects.toThrow(
      `FastAGI cannot listen on 127.0.0.1:${port} (something else listens there); change bind in [agi]`,
    );
    await expect(rig({ host: '192.0.2.1', port: 4573 })).rejects.toThrow(
      'FastAGI cannot listen on 192.0.2.1:4573 (this machine has no such address); change bind in [agi]',
    );
  });
});

describe('another script', () => {
  it('is asked for by its name and the secret, gets its words and more time', async () => {
    const asked: unknown[] = [];
    const { port, server } = await rig({
      secret: 'abc',
      deadlineMs: 200,
      scripts: {
        rate: async (conversation, { words, channel, uniqueid }) => {
          conversation.extend(5000);
          asked.push({ words, channel, uniqueid, answer: await conversation.command('ANSWER\n') });
        },
      },
    });
    const opening = environment('rate/abc').replace('\n\n', '\nagi_arg_1: one\nagi_arg_2: 2\n\n');
    const socket = connect(port, '127.0.0.1');
    ends.push(async () => void socket.destroy());
    socket.write(opening);
    await new Promise((resolve) => socket.once('data', resolve));
    // Longer than the hangup handler's time.
    await new Promise((resolve) => setTimeout(resolve, 400));
    socket.write('200 result=0\n');
    await new Promise((resolve) => socket.once('close', resolve));
    expect(asked).toEqual([
      {
        words: ['one', '2'],
        channel: 'PJSIP/alice-00000001',
        uniqueid: '1795171767.22',
        answer: { code: 200, result: '0', value: undefined },
      },
    ]);
    expect(server.counters).toMatchObject({ answered: 1, late: 0, refused: 0 });
  });

  it.each(['rate', 'rate/abd', 'rat/abc', 'other/abc'])('is refused as %s', async (script) => {
    let isRun = false;
    const { port, server } = await rig({
      secret: 'abc',
      scripts: {
        rate: async () => {
          isRun = true;
        },
      },
    });
    await hangUp(port, environment(script));
    expect([isRun, server.counters.refused]).toEqual([false, 1]);
  });
});
