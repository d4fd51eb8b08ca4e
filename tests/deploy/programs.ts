import { findProgram } from '../find-program.ts';

/** Programs of Debian that check what is in deploy/; `deploy/check` installs them. */
const PROGRAMS = ['nginx', 'haproxy', 'caddy', 'apache2', 'promtool', 'systemd-analyze'];

/** Returns the programs that are not installed. */
export function missingDeployPrograms(): string[] {
  return PROGRAMS.filter((name) => findProgram(name) === undefined);
}

/** Without these programs the tests are skipped, but not in CI: there they fail. */
export const withoutDeployPrograms: boolean =
  missingDeployPrograms().length > 0 && process.env['CI'] !== 'true';
