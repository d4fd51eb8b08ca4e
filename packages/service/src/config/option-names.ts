// Two letters wrong in a short name, a third of the letters in a long one: more is another word, not a slip.
const SHORT_NAME_SLIPS_MAX = 2;
const LONG_NAME_SLIPS_SHARE = 3;

/** `drainSeconds` becomes `drain-seconds`, the name of its flag without the dashes. */
export function flagName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `drainSeconds` becomes `GROUPCAST_HUB_DRAIN_SECONDS` under the prefix `GROUPCAST_HUB`. */
export function envName(prefix: string, key: string): string {
  return `${prefix}_${flagName(key).replaceAll('-', '_').toUpperCase()}`;
}

/** The known name that `name` was probably meant to be, if one is near enough. */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let fewest = Math.max(SHORT_NAME_SLIPS_MAX, Math.floor(name.length / LONG_NAME_SLIPS_SHARE));
  for (const candidate of known) {
    // The difference in length is the least that the distance can be; it spares long garbage the work.
    if (Math.abs(candidate.length - name.length) > fewest) continue;
    const slips = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (slips < fewest || (slips === fewest && nearest === undefined)) {
      fewest = slips;
      nearest = candidate;
    }
  }
  return nearest;
}

/** Levenshtein's distance, one row at a time. */
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
