import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { eventHider, numberHider, numberSearcher } from '../../../src/app/caller-numbers.ts';
import type { PbxEvent } from '../../../src/model/event.ts';
import { goldenNames, readGolden } from '../golden.ts';

const KEY = 'sixteen or more characters';
const CLEAR = { numbers: 'clear', numbersKey: null } as const;
const MASKED = { numbers: 'masked', numbersKey: null } as const;
const HASHED = { numbers: 'hashed', numbersKey: KEY } as const;

const CALL: PbxEvent = {
  type: 'channel',
  atMs: 0,
  channel: {
    uniqueid: '1.1',
    linkedid: '1.1',
    name: 'Local/4915550100@from-internal-0000002a;1',
    stateNumber: 6,
    callerNumber: '+49 30 5550199',
    callerName: 'Erika Mustermann',
    connectedNumber: '101',
    connectedName: 'Max',
    exten: '4915550100',
  },
};

describe("a caller's number", () => {
  it.each([
    ['4915550100', '*******100'],
    ['10015', '***15'],
    ['101', '**1'],
    ['7', '*'],
    ['', ''],
  ])('%s is masked as %s', (number, shown) => {
    expect(numberHider(MASKED)(number)).toBe(shown);
  });

  it('is hashed with the key: RFC 2104 over SHA-256, cut to 64 bits', () => {
    const hash = numberHider(HASHED);
    const expected = createHmac('sha256', KEY).update('4915550100').digest('hex').slice(0, 16);
    expect([hash('4915550100'), hash('4915550100')]).toEqual([`#${expected}`, `#${expected}`]);
    expect(hash('4915550101')).not.toBe(`#${expected}`);
    expect(numberHider({ ...HASHED, numbersKey: `${KEY}.` })('4915550100')).not.toBe(`#${expected}`);
    expect(() => numberHider({ numbers: 'hashed', numbersKey: null })).toThrow(RangeError);
  });

  it('stays the same for the same number when more numbers have called than are remembered', () => {
    const hash = numberHider(HASHED);
    const first = hash('100');
    for (let n = 0; n < 20_000; n++) hash(String(n));
    expect(hash('100')).toBe(first);
  });
});

describe('a number that is looked for', () => {
  const HASH = '#0123456789abcdef';

  it.each([
    ['clear', CLEAR, '4915550100', '4915550100'],
    ['clear', CLEAR, '49*', '49*'],
    ['masked', MASKED, '4915550100', '*******100'],
    ['masked', MASKED, '*******100', '*******100'],
    ['masked', MASKED, '**1', '**1'],
    ['masked', MASKED, '49*', '49*'],
    ['masked', MASKED, HASH, '**************def'],
    ['hashed', HASHED, HASH, HASH],
    ['hashed', HASHED, '#01*', '#01*'],
  ])('is, %s, of %s', (_, setting, asked, stored) => {
    expect(numberSearcher(setting)(asked)).toBe(stored);
  });

  it('is hashed as stored unless it is a whole hash', () => {
    for (const number of ['4915550100', HASH.slice(1), `${HASH}0`, HASH.toUpperCase()]) {
      const expected = createHmac('sha256', KEY).update(number).digest('hex').slice(0, 16);
      expect(numberSearcher(HASHED)(number)).toBe(`#${expected}`);
    }
  });
});

describe('an event', () => {
  it('is left alone when numbers are kept in clear', () => {
    expect(eventHider(CLEAR)(CALL)).toBe(CALL);
  });

  it('has its numbers hidden wherever they stand, and no names', () => {
    expect(eventHider(MASKED)(CALL)).toEqual({
      type: 'channel',
      atMs: 0,
      channel: {
        uniqueid: '1.1',
        linkedid: '1.1',
        name: 'Local/*******100@from-internal-0000002a;1',
        stateNumber: 6,
        callerNumber: '***********199',
        connectedNumber: '**1',
        exten: '*******100',
      },
    });
  });

  it('keeps what is no number: names of endpoints, and words of the dialplan', () => {
    const event = { ...CALL, channel: { ...CALL.channel, name: 'PJSIP/1001-00000001', exten: 's' } };
    expect(eventHider(HASHED)(event)).toMatchObject({ channel: { name: 'PJSIP/1001-00000001', exten: 's' } });
  });

  it('has them hidden in lists and new names too', () => {
    const hide = eventHider(MASKED);
    expect(
      hide({ type: 'resync', atMs: 0, channels: [{ ...CALL.channel, ageS: 7, codecs: { rx: null, tx: null } }] }),
    ).toMatchObject({
      channels: [{ callerNumber: '***********199', ageS: 7 }],
    });
    expect(hide({ type: 'rename', atMs: 0, uniqueid: '1.1', newName: 'DAHDI/i1/4915550100-3' })).toMatchObject({
      newName: 'DAHDI/i1/*******100-3',
    });
    const other: PbxEvent = { type: 'link-lost', atMs: 0 };
    expect(hide(other)).toBe(other);
  });

  it.each(goldenNames())('of a real Asterisk shows no number of three digits or more, and no name: %s', (name) => {
    const { events } = readGolden(name);
    const snapshots = events.flatMap((event) => ('channel' in event ? [event.channel] : []));
    const words = snapshots.flatMap(
      ({ callerNumber = '', connectedNumber = '', callerName = '', connectedName = '' }) =>
        [callerNumber, connectedNumber].filter(({ length }) => length > 2).concat([callerName, connectedName]),
    );
    const shown = new Set(words.filter((word) => word !== ''));
    const hidden = JSON.stringify(events.map(eventHider(MASKED)));
    expect(shown.size).toBeGreaterThan(0);
    for (const word of shown) expect(hidden).not.toContain(`"${word}"`);
  });
});
