/** Kept free for the hub link, logs, files, and for the primary's channel. */
const SPARE_DESCRIPTORS = 64;

/** Where the system sets no limit, in connections. */
const WITHOUT_LIMIT = 100_000;

interface ProcessReport {
  readonly userLimits?: { readonly open_files?: { readonly soft?: number | string } };
}

/**
 * Four fifths of the file descriptors that this process may open: past the limit Node closes new connections without a
 * word, and could not even start a process.
 */
export function connectionsMaxOfSystem(): number {
  const report = process.report.getReport() as ProcessReport;
  const descriptors = Number(report.userLimits?.open_files?.soft);
  return connectionsMaxOf(Number.isFinite(descriptors) ? descriptors : WITHOUT_LIMIT);
}

/** At least one: a service that takes nobody would only look healthy. */
export function connectionsMaxOf(descriptors: number): number {
  return Math.max(1, Math.min(Math.floor(0.8 * descriptors), descriptors - SPARE_DESCRIPTORS));
}
