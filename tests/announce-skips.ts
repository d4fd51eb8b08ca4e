import { findChromium } from './browser/find-chromium.ts';
import { missingDeployPrograms } from './deploy/programs.ts';
import { findPython } from './find-python.ts';
import { hasPhp } from './php/find-php.ts';

/** Prints once, before the tests, which ones are skipped on this machine. CI skips none. */
export function setup(): void {
  if (process.env['CI'] === 'true') return;
  const skipped = [
    ...(findChromium() === undefined ? ['the browser tests (no Chromium on the PATH)'] : []),
    ...(hasPhp() ? [] : ['the tests with PHP workers (no php of version 8 on the PATH)']),
    ...(findPython() === undefined ? ['the snippet in Python (no package websockets)'] : []),
    ...(missingDeployPrograms().length === 0
      ? []
      : [`the tests of deploy/ (no ${missingDeployPrograms().join(', ')}; deploy/check installs them)`]),
    'npm start in a fresh clone (only with CI=true: it installs from the registry and needs the default ports)',
    'npx groupcast from its tarball (only with CI=true: it installs from the registry)',
  ];
  process.stdout.write(`skipped: ${skipped.join('; ')}\n`);
}
