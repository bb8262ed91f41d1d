/** What a manager writes at one moment, milliseconds after its beginning. */
export interface TimedText {
  readonly atMs: number;
  readonly text: string;
}

const MOMENT = /^;at ([\d.]+) s\r?\n/gm;

/** Reads a text in which each piece stands under a line `;at N s`. Pieces may break off in the middle of an event. */
export function readTimedText(text: string): TimedText[] {
  const moments = [...text.matchAll(MOMENT)];
  return moments.map((moment, index) => ({
    atMs: Number(moment[1]) * 1000,
    text: text.slice(moment.index + moment[0].length, moments[index + 1]?.index),
  }));
}
