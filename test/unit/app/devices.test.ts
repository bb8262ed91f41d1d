import { describe, expect, test } from 'vitest';
import type { AmiActions } from '../../../src/asterisk/ami/ami-actions.ts';
import type { CompanionContext } from '../../../src/app/companions/companion.ts';
import { devices } from '../../../src/app/companions/devices.ts';
import { loadSettings } from '../../../src/config/settings.ts';
import type { PbxEvent } from '../../../src/model/event.ts';
import { snapshot } from '../calls/script.ts';

type Told = Extract<PbxEvent, { type: 'device' }>;

/** As Asterisk 22.10.1 and 16.28 answer: of a leg that called it, and of one that it called. */
const CALLED_US = {
  'PJSIP_HEADER(read,User-Agent)': 'Yealink SIP-T54W 96.86.0.100',
  'PJSIP_HEADER(read,Via,1)': 'SIP/2.0/TLS 10.0.0.7:5061;rport=40112;received=192.0.2.77;branch=z9hG4bK1',
  'CHANNEL(pjsip,remote_addr)': '192.0.2.77:40112',
  'CHANNEL(pjsip,target_uri)': 'sip:alice@192.0.2.77:40112;transport=TLS',
  'CHANNEL(pjsip,call-id)': '3c26700d@49155501000',
  'CHANNEL(rtp,src)': '192.0.2.1:18002',
  'CHANNEL(rtp,dest)': '192.0.2.77:11784',
};
const WE_CALLED = {
  'CHANNEL(pjsip,target_uri)': 'sip:bob@198.51.100.9:5060;transport=TCP',
  'CHANNEL(contact)': 'bob;@3101cbb0cc4d2b4e65e3b532601d4d2d',
  'PJSIP_CONTACT(bob;@3101cbb0cc4d2b4e65e3b532601d4d2d,user_agent)': 'Linphonec/5.1.65',
  'PJSIP_CONTACT(bob;@3101cbb0cc4d2b4e65e3b532601d4d2d,via_addr)': '198.51.100.9',
};

function room(more = '') {
  const told: Told[] = [];
  const callIds: string[] = [];
  const asked: string[] = [];
  const answers: Record<string, Readonly<Record<string, string>>> = {};
  const companion = devices({
    settings: loadSettings(`[ami]\nusername = m\nsecret = s\n${more}`, 'mes.conf', {}),
    clock: { nowMs: () => 1000 },
    actions: {
      connected: true,
      getVariable: async (uniqueid: string, name: string) => {
        asked.push(`${uniqueid} ${name}`);
        const value = answers[uniqueid]?.[name];
        if (value === undefined) throw new Error('no such variable');
        return value;
      },
    } as unknown as AmiActions,
    live: {
      handle: (event: PbxEvent) => {
        if (event.type === 'device') told.push(event);
        if (event.type === 'sip-call-id') callIds.push(event.sipCallId);
      },
    },
  } as unknown as CompanionContext);
  const up = async (
    uniqueid: string,
    name: string,
    its: Readonly<Record<string, string>>,
  ): Promise<Told | undefined> => {
    answers[uniqueid] = its;
    companion.take?.({ type: 'channel', atMs: 1000, channel: snapshot(uniqueid, { name }) });
    companion.tick?.(1000);
    await new Promise((resolve) => setTimeout(resolve, 5));
    return told.find((event) => event.uniqueid === uniqueid);
  };
  return { up, asked, callIds, companion };
}

describe('the device at the other end', () => {
  test('of a leg that called us is told by its INVITE', async () => {
    expect(await room().up('1', 'PJSIP/alice-00000001', CALLED_US)).toEqual({
      type: 'device',
      atMs: 1000,
      uniqueid: '1',
      device: 'Yealink SIP-T54W 96.86.0.100',
      site: null,
      details: {
        make: 'Yealink',
        model: 'SIP-T54W',
        firmware: '96.86.0.100',
        transport: 'tls',
        address: '192.0.2.77',
        isBehindNat: true,
        networkKind: null,
        country: null,
        asn: null,
        localMedia: '192.0.2.1:18002',
        remoteMedia: '192.0.2.77:11784',
      },
    });
  });

  test('of a leg that we called is told by its registration, which is asked once for all calls', async () => {
    const { up, asked } = room();
    const first = await up('1', 'PJSIP/bob-00000001', WE_CALLED);
    const second = await up('2', 'PJSIP/bob-00000002', WE_CALLED);
    expect(first).toMatchObject({
      device: 'Linphonec 5.1.65',
      details: { transport: 'tcp', address: '198.51.100.9', isBehindNat: false },
    });
    expect(second).toEqual({ ...first, uniqueid: '2' });
    expect(asked.filter((question) => question.includes('PJSIP_CONTACT'))).toHaveLength(2);
    expect(asked.filter((question) => question.startsWith('2 '))).toHaveLength(8);
  });

  test('is somewhere by the longest prefix that fits', async () => {
    const networks = `[network:192.0.2.0/24]\nsite = Berlin\nkind = wired\n[network:192.0.2.64/26]\nsite = Berlin roof\nkind = wifi\n[network:198.51.100.9]\nkind = vpn\ncountry = DE\nasn = 64496\n`;
    const { up } = room(networks);
    expect(await up('1', 'PJSIP/a-00000001', CALLED_US)).toMatchObject({
      site: 'Berlin roof',
      details: { networkKind: 'wifi' },
    });
    expect(await up('2', 'PJSIP/b-00000002', WE_CALLED)).toMatchObject({
      site: null,
      details: { networkKind: 'vpn', country: 'DE', asn: 64496 },
    });
    const other = { ...CALLED_US, 'CHANNEL(pjsip,remote_addr)': '192.0.2.2:5060' };
    expect(await up('3', 'PJSIP/c-00000003', other)).toMatchObject({
      site: 'Berlin',
      details: { networkKind: 'wired', country: null, asn: null },
    });
  });

  test('of chan_sip has a name and an address', async () => {
    const its = { 'CHANNEL(useragent)': 'snomD785/10.1.73.16', 'CHANNEL(recvip)': '192.0.2.5' };
    expect(await room().up('1', 'SIP/alice-00000001', its)).toMatchObject({
      device: 'Snom D785 10.1.73.16',
      details: { transport: null, address: '192.0.2.5', isBehindNat: null },
    });
  });

  test('that says nothing is not told of, nor asked a second time, nor what is no SIP', async () => {
    const { up, asked, companion } = room();
    expect(await up('1', 'PJSIP/alice-00000001', {})).toBeUndefined();
    expect(await up('2', 'Local/100@from-00000001;1', CALLED_US)).toBeUndefined();
    const questions = asked.length;
    await up('1', 'PJSIP/alice-00000001', {});
    expect([questions, asked.length]).toEqual([8, 8]);
    expect(companion.counters?.()).toEqual({ contacts: 0, leftOut: 0 });
  });

  test('cannot put words of its own into a question, nor a number into a masked history', async () => {
    const { up, asked } = room('[history]\nnumbers = masked\n');
    const evil = { ...WE_CALLED, 'CHANNEL(contact)': 'bob,user_agent)}${SHELL(reboot)' };
    await up('1', 'PJSIP/bob-00000001', evil);
    expect(asked.join(' ')).not.toContain('SHELL');
    const named = { ...CALLED_US, 'PJSIP_HEADER(read,User-Agent)': 'Softphone 4915550100 1.0' };
    const told = await up('2', 'PJSIP/alice-00000002', named);
    expect(JSON.stringify(told)).not.toContain('15550');
    expect(told).toMatchObject({ details: { make: 'Softphone', firmware: '1.0' } });
    const versioned = { ...CALLED_US, 'PJSIP_HEADER(read,User-Agent)': 'Softphone/4915550100' };
    const toldToo = await up('3', 'PJSIP/alice-00000003', versioned);
    expect(JSON.stringify(toldToo)).not.toContain('15550');
    expect(toldToo).toMatchObject({ details: { make: 'Softphone', firmware: '*******100' } });
  });

  test('has the Call-ID of its leg told, hidden as numbers are, unless phone reports ask for it', async () => {
    const clear = room();
    await clear.up('1', 'PJSIP/alice-00000001', CALLED_US);
    expect(clear.callIds).toEqual(['3c26700d@49155501000']);
    const hidden = room('[history]\nnumbers = hashed\nnumbers_key = 0123456789abcdef0123456789abcdef\n');
    await hidden.up('1', 'PJSIP/alice-00000001', CALLED_US);
    expect(hidden.callIds).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
    const asked = room('[phone_reports]\nbind = 127.0.0.1:5070\n');
    await asked.up('1', 'PJSIP/alice-00000001', CALLED_US);
    expect(asked.callIds).toEqual([]);
  });
});
