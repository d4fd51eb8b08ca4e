// Builds the JavaScript of the package in the current folder: `dist/main.js` if it has a program,
// and each entry that its manifest publishes. Code of the workspace is inside. Dependencies of the
// manifest stay outside (`ws` and pino fail at `require` inside an ES module); `pnpm deploy` adds
// them.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
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
  // Written below, whole: a program that starts during a build must not read half a file.
  write: false,
  sourcemap: true,
  external: Object.keys(manifest.dependencies ?? {}),
  logLevel: 'warning',
  ...(pageFile ? { platform: 'neutral', target: 'es2022' } : { platform: 'node', target: 'node20' }),
};

/** Options of entries for Node only: imports with a condition `node` lead to Node's part. */
const forNode = { ...shared, conditions: ['node'] };

const results = await Promise.all([
  ...buildModules(),
  ...buildCommonJs(),
  ...buildProgram(),
  ...buildPageFile(),
]);
writeFiles(results.flatMap(({ outputFiles }) => outputFiles));

/**
 * Replaces each file at once. Chunks come before the entries that import them, and chunks of an
 * earlier build, whose names differ, go last.
 */
function writeFiles(files) {
  const isChunk = (path) => path.startsWith('dist/chunk');
  const outputs = files.map(({ path, contents }) => ({ path: relative('.', path), contents }));
  outputs.sort((one, other) => Number(isChunk(other.path)) - Number(isChunk(one.path)));
  for (const { path, contents } of outputs) replaceFile(path, contents);
  const written = new Set(outputs.map(({ path }) => path));
  for (const name of readdirSync('dist')) {
    if (name.startsWith('chunk') && !written.has(`dist/${name}`)) rmSync(`dist/${name}`);
  }
}

function replaceFile(path, contents) {
  const aside = `${path}.${process.pid}`;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(aside, contents);
  renameSync(aside, path);
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
function buildProgram() {
  if (!existsSync('src/main.ts')) return [];
  const banner = { js: '#!/usr/bin/env node' };
  return [build({ ...shared, entryPoints: ['src/main.ts'], outfile: 'dist/main.js', format: 'esm', banner })];
}

/** Bundles one file for `<script type="module">`. */
function buildPageFile() {
  if (pageFile === undefined) return [];
  const { '.': source } = manifest.exports;
  return [build({ ...shared, entryPoints: [source], outfile: pageFile, format: 'esm', minify: true })];
}
