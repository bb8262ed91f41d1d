import { describe, expect, test } from 'vitest';
import { AmiMessage } from '../../../src/wire/ami/ami.ts';
import { readChannelCodecs } from '../../../src/wire/ami/channel-formats.ts';

function row(native: string, read: string, readPath: string, write: string, writePath: string): AmiMessage {
  const lines = ['Event: Status', `Nativeformats: ${native}`, `Readformat: ${read}`, `Readtrans: ${readPath}`];
  return new AmiMessage(`\r\n${[...lines, `Writeformat: ${write}`, `Writetrans: ${writePath}`].join('\r\n')}`);
}

describe('the codecs of a channel', () => {
  // As 22.10.1 and 16.28 print them, alike; what was in the packets of the same calls was read from a capture.
  test.each([
    ['ulaw both ways', ['(ulaw)', 'ulaw', '', 'ulaw', ''], 'ulaw', 'ulaw'],
    ['bridged with alaw', ['(ulaw)', 'ulaw', '', 'alaw', '(alaw@8000)->(ulaw@8000)'], 'ulaw', 'ulaw'],
    [
      'g722 in a conference',
      ['(g722)', 'slin16', '(g722@16000)->(slin@16000)', 'slin16', '(slin@16000)->(g722@16000)'],
      'g722',
      'g722',
    ],
    [
      'ulaw bridged with g722',
      [
        '(ulaw)',
        'slin16',
        '(ulaw@8000)->(slin@8000)->(slin@16000)',
        'slin16',
        '(slin@16000)->(slin@8000)->(ulaw@8000)',
      ],
      'ulaw',
      'ulaw',
    ],
    ['music on hold', ['(g722)', 'g722', '', 'gsm', '(gsm@8000)->(slin@8000)->(g722@16000)'], 'g722', 'g722'],
    ['asymmetric, bridged with ulaw', ['(ulaw|alaw)', 'alaw', '', 'ulaw', ''], 'alaw', 'ulaw'],
    [
      'asymmetric, in a conference',
      ['(ulaw|alaw)', 'slin', '(alaw@8000)->(slin@8000)', 'slin', '(slin@8000)->(ulaw@8000)'],
      'alaw',
      'ulaw',
    ],
  ] as const)('%s', (_name, [native, read, readPath, write, writePath], rx, tx) => {
    expect(readChannelCodecs(row(native, read, readPath, write, writePath))).toEqual({ rx, tx });
  });

  test.each([
    ['a wideband Speex', ['(speex16|ulaw)', 'slin16', '(speex@16000)->(slin@16000)', 'ulaw', ''], 'speex16', 'ulaw'],
    ['video beside the audio', ['(h264|ulaw)', 'ulaw', '', 'ulaw', ''], 'ulaw', 'ulaw'],
    ['capitals', ['(G722)', 'G722', '', 'SLIN16', '(SLIN@16000)->(G722@16000)'], 'g722', 'g722'],
    ['a format that does not fit yet, of one that was negotiated', ['(alaw)', 'ulaw', '', 'ulaw', ''], 'alaw', 'alaw'],
    ['one that does not fit yet, of several', ['(alaw|g722)', 'ulaw', '', 'g722', ''], null, 'g722'],
    ['nothing negotiated', ['(nothing)', 'ulaw', '', 'ulaw', ''], null, null],
    ['an empty list', ['()', '', '', '', ''], null, null],
    ['no list', ['', '', '', '', ''], null, null],
    ['a name that is none', ['(<b>)', '<b>', '', '<b>', '(<b>@8000)'], null, null],
  ] as const)('%s (by hand)', (_name, [native, read, readPath, write, writePath], rx, tx) => {
    expect(readChannelCodecs(row(native, read, readPath, write, writePath))).toEqual({ rx, tx });
  });

  test('a row without any format tells nothing', () => {
    expect(readChannelCodecs(new AmiMessage('\r\nEvent: Status'))).toEqual({ rx: null, tx: null });
  });
});
