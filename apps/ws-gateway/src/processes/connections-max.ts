import { openFilesMax } from '@groupcast/service';

/** Kept free for the hub link, logs, files, and for the primary's channel. */
const SPARE_FILES = 64;

/** Where the system sets no limit, or does not tell it, in connections. */
const WITHOUT_LIMIT = 100_000;

/**
 * Connections that the limit of open files leaves room for: four fifths of it. At least one,
 * because a service that takes nobody would only look healthy.
 */
export function connectionsMaxOf(openFiles: number = openFilesMax()): number {
  if (!Number.isFinite(openFiles)) return WITHOUT_LIMIT;
  return Math.max(1, Math.min(Math.floor(0.8 * openFiles), openFiles - SPARE_FILES));
}
