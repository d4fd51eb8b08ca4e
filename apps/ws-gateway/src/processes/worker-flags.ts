/**
 * Size of one half of a worker's young generation, in MiB. A worker makes little garbage. With V8's
 * default of 16, it would use more memory for it than for ten thousand idle connections.
 */
const SEMI_SPACE_MIB = 4;

const SEMI_SPACE_FLAG = '--max-semi-space-size';

/** Returns the Node.js flags of workers: those of this process, and defaults for unset ones. */
export function workerFlags(execArgv: readonly string[], nodeOptions: string | undefined): string[] {
  const given = [...execArgv, nodeOptions ?? ''].join(' ').replaceAll('_', '-');
  const isSet = given.includes(SEMI_SPACE_FLAG);
  return isSet ? [...execArgv] : [...execArgv, `${SEMI_SPACE_FLAG}=${SEMI_SPACE_MIB}`];
}
