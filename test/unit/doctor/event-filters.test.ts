import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  DIGIT_EVENTS,
  ENDPOINT_EVENTS,
  HANGUP_EVENTS,
  hiddenEvents,
  NEEDED_EVENTS,
  RATING_EVENTS,
} from '../../../src/doctor/event-filters.ts';
import { readAsteriskConfig } from '../../../src/wire/asterisk-conf.ts';

/** Events hidden from a user with these lines, and the lines that do it. */
function hidden(lines: readonly string[], events: readonly string[] = ['RTCPSent', 'Hangup', 'VarSet']) {
  const [section] = readAsteriskConfig('manager.conf', ['[mes]', ...lines].join('\n'), () => []);
  const result = hiddenEvents(section?.entries ?? [], events);
  return { events: result.events, lines: result.lines.map(({ text }) => text) };
}

describe('eventfilter', () => {
  test.each([
    { lines: [], events: [] },
    { lines: ['read = call'], events: [] },
    { lines: ['eventfilter = Event: RTCP.*'], events: ['Hangup', 'VarSet'] },
    { lines: ['eventfilter = Event: (RTCPSent|Hangup)'], events: ['VarSet'] },
    { lines: ['eventfilter = !Event: VarSet'], events: ['VarSet'] },
    { lines: ['eventfilter = !Event: RTCP'], events: ['RTCPSent'] },
    { lines: ['eventfilter(name(RTCPSent)) ='], events: ['Hangup', 'VarSet'] },
    { lines: ['eventfilter(action(exclude),name(VarSet)) ='], events: ['VarSet'] },
    { lines: ['eventfilter(name(RTCPSent)) =', 'eventfilter = Event: Hangup'], events: ['VarSet'] },
    // An exclusion wins over an inclusion.
    {
      lines: ['eventfilter(name(RTCPSent)) =', 'eventfilter = !Event: RTCPSent'],
      events: ['RTCPSent', 'Hangup', 'VarSet'],
    },
    // Only some channels: the others' events do not come.
    { lines: ['eventfilter = Channel: PJSIP/alice'], events: ['RTCPSent', 'Hangup', 'VarSet'] },
    {
      lines: ['eventfilter(name(Hangup),header(Channel),method(starts_with)) = PJSIP/'],
      events: ['RTCPSent', 'Hangup', 'VarSet'],
    },
    { lines: ['eventfilter = !Channel: DAHDI.*'], events: ['RTCPSent', 'Hangup', 'VarSet'] },
  ])('$lines hides $events', ({ lines, events }) => {
    expect(hidden(lines).events).toEqual(events);
  });

  test('only the lines that hide something are blamed', () => {
    expect(hidden(['eventfilter = !Event: VarSet', 'eventfilter = !Event: Hangup'], ['Hangup']).lines).toEqual([
      'eventfilter = !Event: Hangup',
    ]);
    expect(hidden(['eventfilter = Event: A', 'eventfilter = !Event: B'], ['Hangup']).lines).toEqual([
      'eventfilter = Event: A',
    ]);
  });

  test('an expression that cannot be read is not trusted', () => {
    expect(hidden(['eventfilter = Event: [RTCP'], ['RTCPSent']).events).toEqual(['RTCPSent']);
  });

  test('manager_mes.conf names every event that is needed, and its lines let all of them through', () => {
    const text = readFileSync(new URL('../../../asterisk-conf/manager_mes.conf', import.meta.url), 'utf8');
    const lines = text.split('\n').flatMap((line) => (line.startsWith(';eventfilter(') ? [line.slice(1)] : []));
    expect(lines).toEqual(
      [...NEEDED_EVENTS, ...HANGUP_EVENTS, ...DIGIT_EVENTS, ...ENDPOINT_EVENTS, ...RATING_EVENTS].map(
        (name) => `eventfilter(name(${name})) =`,
      ),
    );
    expect(hidden(lines, NEEDED_EVENTS).events).toEqual([]);
  });
});
