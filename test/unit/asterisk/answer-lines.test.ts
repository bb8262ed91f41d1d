import { describe, expect, it } from 'vitest';
import { AnswerLines } from '../../../src/asterisk/ami/answer-lines.ts';

const ANSWER = 'Response: Success\r\nActionID: mes-a-1\r\nValue: 4.31\r\n\r\n';

describe('what the package gets of the stream', () => {
  it('is every message as it came, wherever the stream was cut', () => {
    const stream = `Asterisk Call Manager/8.0.2\r\n${ANSWER}${ANSWER}`;
    for (let at = 0; at <= stream.length; at++) {
      const lines = new AnswerLines(() => {});
      expect(lines.take(stream.slice(0, at)) + lines.take(stream.slice(at))).toBe(ANSWER + ANSWER);
      expect(lines.dropped).toBe(1);
    }
  });

  it.each([
    ['blanks in front of a colon', `x${' '.repeat(60_000)}x: y`],
    ['blanks at the beginning', `${' '.repeat(60_000)}x: y`],
    ['no colon', 'x'.repeat(100)],
    ['a long value', `Value: ${'x'.repeat(9000)}`],
    ['output that never ends', 'Response: Follows'],
    ['a name of another kind', 'X Y: z'],
  ])('is nothing of a line with %s, and all of what stands around it', (_, odd) => {
    const lines = new AnswerLines(() => {});
    const text = `Response: Success\r\n${odd}\r\nActionID: mes-a-1\r\n\r\n${ANSWER}`;
    let kept = '';
    // As sockets bring it.
    for (let at = 0; at < text.length; at += 4096) kept += lines.take(text.slice(at, at + 4096));
    expect(kept).toBe(`Response: Success\r\nActionID: mes-a-1\r\n\r\n${ANSWER}`);
    expect(lines.dropped).toBe(1);
  });

  it('is bounded: a message without an end, and empty lines without a message', () => {
    const lines = new AnswerLines(() => {});
    let kept = '';
    for (let n = 0; n < 100; n++) kept += lines.take('A: b\r\n'.repeat(1000));
    expect(kept.length).toBeLessThan(10_000);
    expect(lines.take('\r\n\r\n\r\n\n')).toBe('\r\n');
    expect(lines.take(ANSWER)).toBe(ANSWER);
  });

  it('is everything but answers that only say that a Setvar was carried out, which are told', () => {
    const set = (id: number): string => `Response: Success\r\nActionID: mes-a-${id}\r\nMessage: Variable Set\r\n\r\n`;
    const refused = 'Response: Error\r\nActionID: mes-a-7\r\nMessage: No such channel\r\n\r\n';
    const stream = `${set(2)}${set(3)}${ANSWER}${set(4)}${refused}${set(5)}`;
    for (let at = 0; at <= stream.length; at++) {
      const told: string[] = [];
      const lines = new AnswerLines((id) => told.push(id));
      const kept = lines.take(stream.slice(0, at)) + lines.take(stream.slice(at));
      // One that the stream cut in two goes the long way, and the next where the cut is in its end.
      const longWay = [2, 3, 4, 5].filter((id) => kept.includes(set(id))).map((id) => `mes-a-${id}`);
      expect(longWay.length).toBeLessThanOrEqual(2);
      expect([...told, ...longWay].sort()).toEqual(['mes-a-2', 'mes-a-3', 'mes-a-4', 'mes-a-5']);
      expect(kept.replaceAll(/Response: Success\r\nActionID: mes-a-\d\r\nMessage: Variable Set\r\n\r\n/g, '')).toBe(
        ANSWER + refused,
      );
    }
    expect(stream.length).toBeGreaterThan(300);
  });
});
