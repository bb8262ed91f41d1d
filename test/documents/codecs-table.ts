import { codecImpairment } from '../../src/score/codec-impairment.ts';

/** One of Asterisk's names for each codec that has impairment factors; `alaw` has those of `ulaw`. */
const CODECS = ['ulaw', 'g722', 'g729', 'ilbc', 'opus', 'isac', 'g723', 'amr', 'gsm', 'g726'];

/** The table of codecs in `src/score/README.md`. */
export function codecsTable(): string {
  const rows = CODECS.map((codec) => {
    const impairment = codecImpairment(codec);
    if (impairment === undefined) throw new Error(`${codec} has no impairment factors.`);
    const { ie, bpl, r0Is, isWidebandScale } = impairment;
    return [`\`${codec}\``, ie, bpl, r0Is, isWidebandScale ? 'wideband, best 129' : 'narrowband, best 100'];
  });
  const head = ['codec', 'Ie', 'Bpl', 'R0 − Is', 'scale of R'];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
