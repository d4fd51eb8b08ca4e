import { spawnSync } from 'node:child_process';

/** Returns the first Python that has the package of the welcome page's snippet. */
export function findPython(): string | undefined {
  return ['python3', '/usr/bin/python3'].find(
    (program) => spawnSync(program, ['-c', 'import websockets']).status === 0,
  );
}
