import type { Option, OptionTable } from '@groupcast/options';

/**
 * Returns the options of a library that a configuration sets: those that a row names with `to`,
 * such as `queues.itemsMax`, and those that the library has under the same name.
 */
export function libraryOptions(
  rows: Readonly<Record<string, Option<unknown>>>,
  library: OptionTable,
  config: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const [name, row] of Object.entries(rows)) {
    const to = row.to ?? (Object.hasOwn(library, name) ? name : undefined);
    if (to === undefined) continue;
    const value = row.toFactor === undefined ? config[name] : Math.round(Number(config[name]) * row.toFactor);
    const [outer = '', inner] = to.split('.');
    if (inner === undefined) options[outer] = value;
    else options[outer] = { ...(options[outer] as object | undefined), [inner]: value };
  }
  return options;
}
