import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '@groupcast/testkit';

/** Returns the path of a file in deploy/. */
export function deployFile(name: string): string {
  return join(REPOSITORY, 'deploy', name);
}

/** Reads a file in deploy/. */
export function readDeployFile(name: string): string {
  return readFileSync(deployFile(name), 'utf8');
}
