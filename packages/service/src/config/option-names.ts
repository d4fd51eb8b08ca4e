// Two wrong letters in a short name, or a third of a long one: beyond it, it is another word.
const SHORT_NAME_SLIPS_MAX = 2;
const LONG_NAME_SLIPS_SHARE = 3;

/** Returns the name of a flag without dashes: `drain-seconds` for `drainSeconds`. */
export function flagName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/**
 * Returns the name of a variable: `GROUPCAST_HUB_DRAIN_SECONDS` for `GROUPCAST_HUB` and
 * `drainSeconds`.
 */
export function envName(prefix: string, key: string): string {
  return `${prefix}_${flagName(key).replaceAll('-', '_').toUpperCase()}`;
}

/** Returns the known name that is most like `name`, if one is like enough. */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let fewest = Math.max(SHORT_NAME_SLIPS_MAX, Math.floor(name.length / LONG_NAME_SLIPS_SHARE));
  for (const candidate of known) {
    // The distance is at least the difference in length, which skips long names.
    if (Math.abs(candidate.length - name.length) > fewest) continue;
    const slips = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (slips < fewest || (slips === fewest && nearest === undefined)) {
      fewest = slips;
      nearest = candidate;
    }
  }
  return nearest;
}

/** Returns Levenshtein's distance, one row at a time. */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      const added = (current[column - 1] ?? 0) + 1;
      const removed = (previous[column] ?? 0) + 1;
      current.push(Math.min(replaced, added, removed));
    }
    previous = current;
  }
  return previous[to.length] ?? 0;
}
