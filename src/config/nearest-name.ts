/** Edits that still look like a typing mistake: one in three letters, at least two. */
function allowedEdits(name: string): number {
  return Math.max(2, Math.floor(name.length / 3));
}

/** A shorter beginning fits too many names. */
const SHORTEST_CUT = 3;

/** Edits (insert, delete, replace, swap of neighbours) between two names: optimal string alignment distance. */
function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let cost = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (swapped) cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1);
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length] ?? 0;
}

/** The name in `known` that was most likely meant; undefined when none is near. Ignores case. */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  // The distance takes quadratic time, and a file may have a name of any length.
  const wanted = name.slice(0, 64).toLowerCase();
  let best: string | undefined;
  let bestEdits = allowedEdits(wanted) + 1;
  for (const candidate of known) {
    const spelling = candidate.toLowerCase();
    // A name that is cut short (`user` for `username`) is likelier than its number of missing letters suggests.
    const cutShort = wanted.length >= SHORTEST_CUT && spelling.startsWith(wanted);
    const edits = cutShort ? 1 : editDistance(wanted, spelling);
    if (edits < bestEdits) {
      best = candidate;
      bestEdits = edits;
    }
  }
  return best;
}
