import { rangeOf } from '@groupcast/options';
import { openFilesMax } from '@groupcast/service';
import { GATEWAY_TABLE } from '../options.ts';

/** Open files reserved for the hub link, logs, files and the channel to the primary. */
const SPARE_FILES = 64;

const { max } = rangeOf(GATEWAY_TABLE.connectionsMax);

/** Default where the system has or reports no limit, in connections. */
const WITHOUT_LIMIT = 100_000;

/**
 * Returns the connections that the limit of open files allows: four fifths of it, at most as many
 * as the option allows. At least one, because a service without any would only look healthy.
 */
export function connectionsMaxOf(openFiles: number = openFilesMax()): number {
  if (!Number.isFinite(openFiles)) return WITHOUT_LIMIT;
  return Math.max(1, Math.min(Math.floor(0.8 * openFiles), openFiles - SPARE_FILES, max));
}
