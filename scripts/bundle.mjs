// Builds the JavaScript of the package in the current folder: `dist/main.js` if it has a program,
// and each entry that its manifest publishes. Code of the workspace is inside. Dependencies of the
// manifest stay outside (`ws` and pino fail at `require` inside an ES module); `pnpm deploy` adds
// them.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { build } from 'esbuild';
import { publishedEntries } from './published-entries.mjs';

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
// A package with a file for pages runs in browsers, too, and must not use Node's modules.
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

/** Options of entries for Node only: imports with a condition `node` lead to Node's part. */
const forNode = { ...shared, conditions: ['node'] };

removeChunks();
await Promise.all([...buildModules(), ...buildCommonJs(), buildProgram(), buildPageFile()]);

/** Removes the chunks of an earlier build, whose names differ. */
function removeChunks() {
  const files = existsSync('dist') ? readdirSync('dist') : [];
  for (const file of files.filter((name) => name.startsWith('chunk'))) rmSync(`dist/${file}`);
}

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

/** Puts code that entries share into `dist/chunk-*.js`: a class is the same in all of them. */
function buildTogether(modules, options) {
  return build({
    ...options,
    entryPoints: modules.map(({ source, file }) => ({ in: source, out: file.slice(0, -'.js'.length) })),
    outdir: '.',
    format: 'esm',
    splitting: true,
    chunkNames: 'dist/chunk-[hash]',
  });
}

function buildCommonJs() {
  return scripts
    .filter(({ file }) => file.endsWith('.cjs'))
    .map(({ source, file }) => build({ ...forNode, entryPoints: [source], outfile: file, format: 'cjs' }));
}

/** Bundles the program into one file that needs only its dependencies. */
async function buildProgram() {
  if (!existsSync('src/main.ts')) return;
  const banner = { js: '#!/usr/bin/env node' };
  await build({ ...shared, entryPoints: ['src/main.ts'], outfile: 'dist/main.js', format: 'esm', banner });
}

/** Bundles one file for `<script type="module">`. */
async function buildPageFile() {
  if (pageFile === undefined) return;
  const { '.': source } = manifest.exports;
  await build({ ...shared, entryPoints: [source], outfile: pageFile, format: 'esm', minify: true });
}
