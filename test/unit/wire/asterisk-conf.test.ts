import { describe, expect, test } from 'vitest';
import {
  type AsteriskConfig,
  entriesOf,
  isFalse,
  isTrue,
  lastEntry,
  readAsteriskConfig,
  sectionsOf,
} from '../../../src/wire/asterisk-conf.ts';

function read(text: string, included: Readonly<Record<string, string>> = {}): AsteriskConfig {
  return readAsteriskConfig('main.conf', text, (pattern) => {
    const body = included[pattern];
    return body === undefined ? [] : [{ file: pattern, text: body }];
  });
}

function pairs(config: AsteriskConfig, section: string): string[] {
  return sectionsOf(config, section).flatMap(({ entries }) => entries.map(({ key, value }) => `${key}|${value}`));
}

describe("Asterisk's configuration files", () => {
  test('settings, comments, escapes, and where each line is', () => {
    const config = read(
      '; top\n[a]\nkey = value ; why\nother => x\\;y\n;-- gone = 1\nstill = gone --;\nexten => s,1,Set(A=b)\n',
    );
    expect(pairs(config, 'a')).toEqual(['key|value', 'other|x;y', 'exten|s,1,Set(A=b)']);
    expect(config[0]?.line).toBe(2);
    expect(lastEntry(config, 'a', 'other')).toEqual({
      key: 'other',
      value: 'x;y',
      text: 'other => x;y',
      file: 'main.conf',
      line: 4,
    });
    expect(entriesOf(config, 'a', 'exten')[0]?.line).toBe(7);
  });

  test('a template gives its lines to who names it and is no section itself', () => {
    const config = read('[base](!)\nread = call\n[one](base)\nread = all\n[two](base)\n');
    expect(pairs(config, 'one')).toEqual(['read|call', 'read|all']);
    expect(lastEntry(config, 'one', 'read')).toMatchObject({ value: 'all', line: 4 });
    expect(lastEntry(config, 'two', 'read')).toMatchObject({ value: 'call', line: 2 });
    expect(sectionsOf(config, 'base')).toEqual([]);
  });

  test('an addition goes to the section of that name, not to one between', () => {
    const config = read('[a]\nx = 1\n[b]\ny = 2\n[a](+)\nx = 3\n');
    expect(pairs(config, 'a')).toEqual(['x|1', 'x|3']);
    expect(pairs(config, 'b')).toEqual(['y|2']);
  });

  test('what is included stands where it is included, under its own name', () => {
    const config = read('[a]\n#include "more.conf"\n#tryinclude <absent.conf>\nlast = 1\n', {
      'more.conf': 'first = 1\n[b]\nin = b\n',
    });
    expect(pairs(config, 'a')).toEqual(['first|1']);
    // As in Asterisk, the section that the included file opened goes on.
    expect(pairs(config, 'b')).toEqual(['in|b', 'last|1']);
    expect(lastEntry(config, 'a', 'first')).toMatchObject({ file: 'more.conf', line: 1 });
  });

  test('files that include each other end, and a line that is none is left out', () => {
    expect(
      pairs(read('[a]\nnonsense\nx = 1\n#include main.conf\n', { 'main.conf': '#include main.conf\n' }), 'a'),
    ).toEqual(['x|1']);
  });

  test('the new eventfilter has its criteria in the key, and no value', () => {
    expect(pairs(read('[mes]\neventfilter(name(RTCPSent)) =\n'), 'mes')).toEqual(['eventfilter(name(RTCPSent))|']);
  });

  test('switches as Asterisk reads them', () => {
    expect(['yes', 'TRUE', 'on', '1', 'no', 'off', '', 'nat'].map(isTrue)).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
    expect(['no', 'False', '0', 'yes', '', 'nonat'].map(isFalse)).toEqual([true, true, true, false, false, false]);
  });
});
