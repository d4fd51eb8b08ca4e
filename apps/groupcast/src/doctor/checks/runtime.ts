import { nodeVersionProblem, openFilesMax } from '@groupcast/service';
import type { Finding } from '../finding.ts';

/** Open files below which a gateway is too small even for a test of a page. */
const OPEN_FILES_MIN = 1_024;

/** Open files that a gateway for more than a few thousand clients needs. */
const OPEN_FILES_GOOD = 65_536;

export function checkNode(version: string = process.version): Finding {
  const problem = nodeVersionProblem(version);
  return problem === undefined
    ? { state: 'ok', check: 'node', text: `Node ${version}.` }
    : { state: 'fault', check: 'node', text: problem };
}

/** Checks the limit of open files: each connection is one. */
export function checkOpenFiles(max: number = openFilesMax()): Finding {
  const check = 'open files';
  if (max >= OPEN_FILES_GOOD) return { state: 'ok', check, text: `At most ${max} in each process.` };
  const state = max < OPEN_FILES_MIN ? 'fault' : 'warning';
  const text =
    `At most ${max} in each process, and each connection of a client needs one. ` +
    `Raise the limit: "ulimit -n ${OPEN_FILES_GOOD}", or LimitNOFILE= in a systemd unit.`;
  return { state, check, text };
}
