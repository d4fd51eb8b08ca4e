/** Position of the values of several rounds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** `undefined` when there is no value. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const sorted = [...values].sort((one, other) => one - other);
  const [min] = sorted;
  const max = sorted.at(-1);
  if (min === undefined || max === undefined) return undefined;
  const low = sorted[Math.floor((sorted.length - 1) / 2)] ?? min;
  const high = sorted[Math.ceil((sorted.length - 1) / 2)] ?? max;
  return { median: (low + high) / 2, min, max };
}

/**
 * Returns the ratios of two values by round. Rounds in which one of them is missing are left out.
 */
export function ratios(
  values: readonly (number | undefined)[],
  others: readonly (number | undefined)[],
): number[] {
  return values.flatMap((value, round) => {
    const other = others[round];
    return value === undefined || other === undefined || other === 0 ? [] : [value / other];
  });
}

/** Returns the value below which `share` of the values are; undefined without values. */
export function percentileOf(values: readonly number[], share: number): number | undefined {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}
