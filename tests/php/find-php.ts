import { spawnSync } from 'node:child_process';

/** Oldest version for the scripts: 8.0. */
const VERSION_ID_MIN = 80_000;

/** Whether the PHP on the PATH can run the scripts. */
export function hasPhp(): boolean {
  const { status, stdout } = spawnSync('php', ['-n', '-r', 'echo PHP_VERSION_ID;']);
  return status === 0 && Number(String(stdout)) >= VERSION_ID_MIN;
}
