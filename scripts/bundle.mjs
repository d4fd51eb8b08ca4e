// Builds the JavaScript of the package in the current folder: `dist/main.js` where it has a program, and each entry that
// its manifest publishes. The workspace's code is inside; the dependencies of the manifest stay outside (bundled into ESM,
// `ws` and pino fail at `require`), and `pnpm deploy` puts them beside it.
import { existsSync, readFileSync } from 'node:fs';
import { build } from 'esbuild';
import { publishedEntries } from './published-entries.mjs';

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
// A package with a file for pages runs wherever JavaScript does, and may use nothing of Node's.
const pageFile = manifest.jsdelivr;
const scripts = publishedEntries(manifest).flatMap(({ source, scripts }) =>
  scripts.map((file) => ({ source, file })),
);

const shared = {
  bundle: true,
  sourcemap: true,
  external: Object.keys(manifest.dependencies ?? {}),
  logLevel: 'warning',
  ...(pageFile ? { platform: 'neutral', target: 'es2022' } : { platform: 'node', target: 'node20' }),
};

/** For entries that are for Node only: imports within the package that differ there lead to Node's part. */
const forNode = { ...shared, conditions: ['node'] };

await Promise.all([...buildModules(), ...buildCommonJs(), buildProgram(), buildPageFile()]);

function buildModules() {
  const modules = scripts.filter(({ file }) => file.endsWith('.js'));
  const isForNode = ({ file }) => file.endsWith('.node.js');
  return [
    buildTogether(
      modules.filter((module) => !isForNode(module)),
      shared,
    ),
    buildTogether(modules.filter(isForNode), forNode),
  ];
}

/** What entries share is in `dist/chunk.js`, so that a class is the same in all of them. */
function buildTogether(modules, options) {
  return build({
    ...options,
    entryPoints: modules.map(({ source, file }) => ({ in: source, out: file.slice(0, -'.js'.length) })),
    outdir: '.',
    format: 'esm',
    splitting: true,
    chunkNames: 'dist/chunk',
  });
}

function buildCommonJs() {
  return scripts
    .filter(({ file }) => file.endsWith('.cjs'))
    .map(({ source, file }) => build({ ...forNode, entryPoints: [source], outfile: file, format: 'cjs' }));
}

/** One file, which runs from anywhere beside its dependencies. */
async function buildProgram() {
  if (!existsSync('src/main.ts')) return;
  const banner = { js: '#!/usr/bin/env node' };
  await build({ ...shared, entryPoints: ['src/main.ts'], outfile: 'dist/main.js', format: 'esm', banner });
}

/** One file for `<script type="module">`. */
async function buildPageFile() {
  if (pageFile === undefined) return;
  const { '.': source } = manifest.exports;
  await build({ ...shared, entryPoints: [source], outfile: pageFile, format: 'esm', minify: true });
}
