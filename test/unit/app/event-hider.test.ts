import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventHider } from '../../../src/app/numbers/event-hider.ts';
import { endpointSearcher } from '../../../src/app/numbers/hidden-text.ts';
import type { PbxEvent } from '../../../src/model/event.ts';
import { goldenNames, readGolden } from '../golden.ts';

const CLEAR = { numbers: 'clear', numbersKey: null } as const;
const MASKED = { numbers: 'masked', numbersKey: null } as const;
const HASHED = { numbers: 'hashed', numbersKey: 'sixteen or more characters' } as const;

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

  it.each([
    ['PJSIP/gw-04915550', 'PJSIP/gw-04915550-0000001a', 'PJSIP/gw-*****550'],
    ['IAX2/4915-5501', 'IAX2/4915-5501-1234', 'IAX2/******501'],
    ['PJSIP/alice', 'PJSIP/alice-0000001a', 'PJSIP/alice'],
  ])('has the number in the state of %s hidden as in the channel %s', (endpoint, name, expected) => {
    const hide = eventHider(MASKED);
    expect(hide({ type: 'endpoint-state', atMs: 0, endpoint, state: 'INUSE' })).toEqual({
      type: 'endpoint-state',
      atMs: 0,
      endpoint: expected,
      state: 'INUSE',
    });
    expect(hide({ type: 'rename', atMs: 0, uniqueid: '1.1', newName: name })).toMatchObject({
      newName: name.replace(endpoint, expected),
    });
    expect(endpointSearcher(MASKED)(endpoint)).toBe(expected);
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
    expect(hide({ type: 'link-lost', atMs: 0 })).toEqual({ type: 'link-lost', atMs: 0 });
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

/** An event of each type, with `text` in every field that a stranger or a dialplan can fill. */
function eventsWith(text: string): PbxEvent[] {
  const channel = {
    uniqueid: '1.1',
    linkedid: '1.1',
    name: text,
    stateNumber: 6,
    callerNumber: text,
    callerName: text,
    connectedNumber: text,
    connectedName: text,
    exten: text,
  };
  const atMs = 0;
  return [
    { type: 'channel', atMs, channel },
    { type: 'rename', atMs, uniqueid: '1.1', newName: text },
    { type: 'hangup', atMs, channel, cause: 16, causeText: text },
    { type: 'bridge-enter', atMs, channel, bridgeId: 'b', bridgeTechnology: text },
    { type: 'bridge-leave', atMs, channel, bridgeId: 'b', bridgeTechnology: text },
    { type: 'hold', atMs, channel },
    { type: 'rtcp', atMs, channel, report: { reporter: 'local' } },
    { type: 'resync', atMs, channels: [{ ...channel, codecs: { rx: null, tx: null } }] },
  ];
}

function digitsOf(text: string): string {
  return text.replaceAll(/\D/g, '');
}

describe('a number of five digits or more', () => {
  it.each([
    'Local/FMGL-4915550100#@from-internal-0000002a;1',
    'Local/RG-600-4915550100@from-internal-0000002a;2',
    'Surrogate/Local/4915550100@from-internal-0000002a;1',
    'PJSIP/4915550100-0000002a',
    'AsyncGoto/PJSIP/4915550100-0000002a<ZOMBIE>',
    'DAHDI/i1/4915550100-3',
    'IAX2/4915550100-1234',
    'tel:+4915550100',
    '4915550100@sip',
    'sip:4915550100@192.0.2.1:5060;user=phone',
    '(0049155) 50100',
    '0049/155-50 100',
    'call to 4915550100 refused',
    '\uFF10\uFF14\uFF19\uFF11\uFF15\uFF15\uFF15\uFF10\uFF11\uFF10\uFF10',
  ])('is hidden in every field of every event: %s', (text) => {
    const visible = /4915550|0049155|155-50|\(0049|[\uFF10-\uFF19]{4}/;
    expect(visible.test(text)).toBe(true);
    for (const setting of [MASKED, HASHED]) {
      for (const event of eventsWith(text)) expect(JSON.stringify(eventHider(setting)(event))).not.toMatch(visible);
    }
  });

  it('is hidden in random shapes, all but at most half of its digits', () => {
    // No digit stands around it, so that those which are left are the number's own.
    const around = fc.constantFrom(
      '',
      'Local/',
      'Local/FMGL-',
      'tel:+',
      'Surrogate/Local/RG-',
      'DAHDI/',
      'x ',
      '(',
      '#',
    );
    const behind = fc.constantFrom('', '@sip', '#@from-internal', ' <ZOMBIE>', ';phone-context=x', ') x');
    const between = fc.constantFrom('', '', '', ' ', '-', ' / ', ') ', '.', '\u2011', '*', '#');
    const number = fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), between), { minLength: 5, maxLength: 18 });
    fc.assert(
      fc.property(around, number, behind, (before, pairs, after) => {
        const last = pairs.length - 1;
        const text = before + pairs.map(([digit, mark], at) => `${digit}${at === last ? '' : mark}`).join('') + after;
        const digits = digitsOf(text);
        for (const event of eventsWith(text)) {
          const fields = Object.entries('channel' in event ? { ...event.channel, ...event } : event);
          const hidden = eventHider(MASKED)(event);
          const shown = Object.entries('channel' in hidden ? { ...hidden.channel, ...hidden } : hidden);
          expect(fields.length).toBeGreaterThan(2);
          for (const [name, value] of shown) {
            if (typeof value !== 'string' || /^(?:type|uniqueid|linkedid|bridgeId)$/.test(name)) continue;
            expect(value).not.toBe(text);
            expect(digitsOf(value).length).toBeLessThanOrEqual(Math.floor(digits.length / 2));
          }
        }
      }),
      { seed: 17 },
    );
  });

  it('takes no serial number and no span of a channel with it, and no extension of four digits', () => {
    const names = [
      ['PJSIP/1001-00000042', 'PJSIP/1001-00000042'],
      ['PJSIP/trunk-00012345;2<ZOMBIE>', 'PJSIP/trunk-00012345;2<ZOMBIE>'],
      ['DAHDI/i12/4915550100-12', 'DAHDI/i12/*******100-12'],
      ['IAX2/4915550100-1234', 'IAX2/*******100-1234'],
      ['Local/600@ctx-00000042;1', 'Local/**0@ctx-00000042;1'],
      ['Local/FMGL-4915550100#@ctx-00000042;1', 'Local/FMGL-*******100#@ctx-00000042;1'],
    ] as const;
    for (const [newName, expected] of names) {
      expect(eventHider(MASKED)({ type: 'rename', atMs: 0, uniqueid: '1.1', newName })).toMatchObject({
        newName: expected,
      });
    }
  });

  it('costs no more time in a long text without one', () => {
    const odd = `1${' '.repeat(50_000)}1${'-'.repeat(50_000)}1${'x'.repeat(10)}`;
    const before = process.threadCpuUsage();
    eventHider(MASKED)({ type: 'rename', atMs: 0, uniqueid: '1.1', newName: odd });
    // A quadratic expression takes seconds.
    expect(process.threadCpuUsage(before).user / 1000).toBeLessThan(1000);
  });
});
