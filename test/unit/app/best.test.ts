import { expect, test } from 'vitest';
import type { CompanionContext } from '../../../src/app/companions/companion.ts';
import { bestCompanion } from '../../../src/app/companions/best.ts';
import { textHider } from '../../../src/app/numbers/hidden-text.ts';
import { loadSettings } from '../../../src/config/settings.ts';
import { channelRecord, START_MS } from '../history/records.ts';

/** Trunks that are named by their numbers, as many providers want it. */
const BAD = '4930555101';
const GOOD = '4989555202';

test.each(['clear', 'masked', 'hashed'])(
  'the best trunk is found by its name where numbers are %s, and Asterisk gets that name',
  async (numbers) => {
    const key = numbers === 'hashed' ? 'numbers_key = 0123456789abcdef\n' : '';
    const settings = loadSettings(
      `[ami]\nusername = m\nsecret = s\n[history]\nnumbers = ${numbers}\n${key}`,
      'mes.conf',
      {},
    );
    const best = bestCompanion({ settings, clock: { nowMs: () => START_MS + 60_000 } } as unknown as CompanionContext);
    const stored = numbers === 'clear' ? (name: string) => name : textHider(settings.history).channelName;
    for (const [trunk, mes, verdict] of [
      [BAD, 1.5, 'bad'],
      [GOOD, 4.4, 'good'],
    ] as const) {
      for (let call = 0; call < 6; call++) {
        const endpoint = stored(`PJSIP/${trunk}`);
        best.channelEnded?.(
          channelRecord(`${trunk}.${call}`, { endpoint, mes, verdict, endedAtMs: START_MS + 50_000 + call }),
        );
      }
    }
    const said: string[] = [];
    const conversation = { command: async (text: string) => void said.push(text) };
    await best.agiScripts?.['best']?.(conversation as never, { words: [BAD, GOOD] } as never);
    expect(said.join('')).toContain(`MES_BEST "${GOOD}"`);
  },
);
