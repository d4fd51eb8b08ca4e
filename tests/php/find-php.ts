import { spawnSync } from 'node:child_process';

/** The oldest that the scripts run on: 8.0. */
const VERSION_ID_MIN = 80_000;

/** Whether there is a PHP on the PATH that runs the scripts. */
export function hasPhp(): boolean {
  const { status, stdout } = spawnSync('php', ['-n', '-r', 'echo PHP_VERSION_ID;']);
  return status === 0 && Number(String(stdout)) >= VERSION_ID_MIN;
}
