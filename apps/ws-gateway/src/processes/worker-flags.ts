/** Flags of V8 for workers, and their values in MiB. */
const DEFAULT_FLAGS: Readonly<Record<string, number>> = {
  // One half of the young generation. A worker makes little garbage. With V8's default of 16, it
  // would use more memory for it than for ten thousand idle connections.
  '--max-semi-space-size': 4,
  // Heap below which V8 does not collect the old generation, buffers included. The live heap of a
  // worker is small: with V8's default, every 4 MiB of history pages cause a pause of 3 to 10 ms
  // (decision 22).
  '--initial-heap-size': 32,
};

/** Returns the Node.js flags of workers: those of this process, and defaults for unset ones. */
export function workerFlags(execArgv: readonly string[], nodeOptions: string | undefined): string[] {
  const given = [...execArgv, nodeOptions ?? ''].join(' ').replaceAll('_', '-');
  const unset = Object.entries(DEFAULT_FLAGS).filter(([flag]) => !given.includes(flag));
  return [...execArgv, ...unset.map(([flag, mebibytes]) => `${flag}=${mebibytes}`)];
}
