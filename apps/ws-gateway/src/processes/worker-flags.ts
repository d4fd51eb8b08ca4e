/**
 * One half of the young generation of a worker, in MiB. A worker makes little garbage, and with
 * V8's own 16 it would hold more memory for it than for ten thousand idle connections.
 */
const SEMI_SPACE_MIB = 4;

const SEMI_SPACE_FLAG = '--max-semi-space-size';

/** The flags of Node.js for workers: those of this process, and what nobody has set otherwise. */
export function workerFlags(execArgv: readonly string[], nodeOptions: string | undefined): string[] {
  const given = [...execArgv, nodeOptions ?? ''].join(' ').replaceAll('_', '-');
  const isSet = given.includes(SEMI_SPACE_FLAG);
  return isSet ? [...execArgv] : [...execArgv, `${SEMI_SPACE_FLAG}=${SEMI_SPACE_MIB}`];
}
