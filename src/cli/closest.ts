/** Guesses which name was meant by one that was mistyped. */

/** The name that needs the fewest changes of a letter; undefined when none is near. */
export function closest(typed: string, names: readonly string[]): string | undefined {
  const [best] = names
    .map((name) => ({ name, changes: distance(typed.slice(0, 50), name) }))
    .toSorted((a, b) => a.changes - b.changes);
  return best && best.changes <= Math.ceil(best.name.length / 3) ? best.name : undefined;
}

/** Levenshtein's distance: how many letters must be added, left out or exchanged. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [index, letter] of [...from].entries()) {
    const next = [index + 1];
    for (const [column, other] of [...to].entries()) {
      const kept = (row[column] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(kept, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
