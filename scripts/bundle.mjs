// Builds the app in the current folder: one file, dist/main.js, with the workspace's code inside. The npm dependencies
// stay outside (bundled into ESM, `ws` and pino fail at `require`), and `pnpm deploy` puts them beside it.
import { readFileSync } from 'node:fs';
import { build } from 'esbuild';

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));

await build({
  entryPoints: ['src/main.ts'],
  outfile: 'dist/main.js',
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: true,
  external: Object.keys(manifest.dependencies),
  banner: { js: '#!/usr/bin/env node' },
  logLevel: 'warning',
});
