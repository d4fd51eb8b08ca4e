import { integerOption, OPTION_BYTES_MAX, type OptionsOf, resolveOptions } from '@groupcast/options';

const MIB = 1024 * 1024;

/** Limits of the values of keyed channels. */
export const KEYED_TABLE = {
  /** Keys of all channels together; above it a new key is rejected. Default 100,000. */
  valuesMax: integerOption({ default: 100_000, min: 0, max: 10_000_000, unit: 'values' }),
  /**
   * Bytes of all values with their names, and 256 for each; above it a new or longer value is
   * rejected. Default 32 MiB.
   */
  bytesMax: integerOption({ default: 32 * MIB, min: 0, max: OPTION_BYTES_MAX, unit: 'bytes' }),
};

/** Limits of the values of keyed channels. */
export type KeyedLimits = OptionsOf<typeof KEYED_TABLE>;

/** Fills in the defaults. Throws OptionError `bad_option`. */
export function completeKeyedLimits(given: Partial<KeyedLimits>): KeyedLimits {
  return resolveOptions('MemoryEngine', KEYED_TABLE, given, 'keyed.');
}
