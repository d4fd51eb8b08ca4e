import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '@groupcast/testkit';
import { findProgram } from '../find-program.ts';

/** Programs of Debian that check what is in deploy/; `deploy/check` installs them. */
const PROGRAMS = ['nginx', 'haproxy', 'caddy', 'apache2', 'promtool', 'systemd-analyze', 'docker-compose'];

/** Folder of the schemas of Kubernetes, which `deploy/check` installs, too. */
export const KUBERNETES_MODELS: string = join(
  REPOSITORY,
  'tests/node_modules/.cache/deploy/node_modules/kubernetes-models',
);

/** Returns what is not installed. */
export function missingDeployPrograms(): string[] {
  const programs = PROGRAMS.filter((name) => findProgram(name) === undefined);
  return existsSync(KUBERNETES_MODELS) ? programs : [...programs, 'kubernetes-models'];
}

/** Without these programs the tests are skipped, but not in CI: there they fail. */
export const withoutDeployPrograms: boolean =
  missingDeployPrograms().length > 0 && process.env['CI'] !== 'true';
