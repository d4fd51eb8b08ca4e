// Builds the declarations of the package in the current folder: one file for each entry that its
// manifest publishes, with the types of private packages inside. TypeScript writes a declaration
// for each source, and rolldown bundles them; its plugin cannot run TypeScript 7 by itself yet.
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { dts } from 'rolldown-plugin-dts';
import { publishedEntries } from './published-entries.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Folder within the package, so that its types are found from here. Git ignores it. */
const EMITTED = resolve('node_modules/.cache/declarations');
/** Prefix of the comment above each part of a bundle, which names the part's file. */
const EMITTED_COMMENT = '// node_modules/.cache/declarations/';

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const dependencies = Object.keys(manifest.dependencies ?? {});
const entries = publishedEntries(manifest);
const sources = workspaceSources();

emitDeclarations();
await bundleDeclarations();
// A declaration for CommonJS is the same text: its imports have no CommonJS variant.
for (const { name, declarations } of entries) {
  for (const file of declarations) {
    if (file !== `./dist/${name}.d.ts`) copyFileSync(`dist/${name}.d.ts`, file);
  }
}

/** Maps each import specifier of the workspace to its source. */
function workspaceSources() {
  const folders = ['packages', 'apps'].flatMap((parent) =>
    readdirSync(join(ROOT, parent)).map((folder) => join(ROOT, parent, folder)),
  );
  const found = new Map();
  for (const folder of folders.filter((folder) => existsSync(join(folder, 'package.json')))) {
    const { name, exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    for (const [subpath, file] of Object.entries(exports ?? {})) {
      found.set(`${name}${subpath.slice(1)}`, join(folder, file));
    }
  }
  return found;
}

/** Writes a declaration for each source that the entries reach, also in other packages. */
function emitDeclarations() {
  rmSync(EMITTED, { recursive: true, force: true });
  mkdirSync(EMITTED, { recursive: true });
  const ambient = readdirSync('src').filter((file) => file.endsWith('.d.ts'));
  const config = {
    extends: resolve('tsconfig.json'),
    compilerOptions: {
      noEmit: false,
      emitDeclarationOnly: true,
      rootDir: ROOT,
      outDir: EMITTED,
      paths: Object.fromEntries([...sources].map(([name, file]) => [name, [file]])),
    },
    include: [],
    files: [...entries.map(({ source }) => resolve(source)), ...ambient.map((file) => resolve('src', file))],
  };
  writeFileSync(join(EMITTED, 'tsconfig.json'), JSON.stringify(config));
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '--project', EMITTED], { stdio: 'inherit' });
}

/**
 * Bundles one declaration for each entry. Shared types have their own file: a class is the same.
 */
async function bundleDeclarations() {
  const bundle = await rolldown({
    input: Object.fromEntries(entries.map(({ name, source }) => [name, emitted(resolve(source))])),
    external: [/^node:/, ...dependencies.map((name) => new RegExp(`^${name}(/|$)`))],
    plugins: [
      { name: 'workspace', resolveId: { order: 'pre', handler: resolveImport } },
      dts({ dtsInput: true }),
    ],
  });
  const { output } = await bundle.generate({ format: 'es', chunkFileNames: '[name].js' });
  await bundle.close();
  mkdirSync('dist', { recursive: true });
  for (const { fileName, code } of output) {
    // Rolldown's helper for namespaces is JavaScript, and no declaration needs it.
    if (fileName.endsWith('.d.ts'))
      writeFileSync(join('dist', fileName), code.replaceAll(EMITTED_COMMENT, '// '));
  }
}

function resolveImport(name, importer) {
  const source = sources.get(name);
  if (source !== undefined && !dependencies.some((known) => name === known || name.startsWith(`${known}/`))) {
    return emitted(source);
  }
  const isSource = name.startsWith('.') && name.endsWith('.ts') && !name.endsWith('.d.ts');
  return importer !== undefined && isSource ? declarationOf(resolve(dirname(importer), name)) : undefined;
}

function emitted(source) {
  return declarationOf(join(EMITTED, relative(ROOT, source)));
}

function declarationOf(source) {
  return source.replace(/\.ts$/, '.d.ts');
}
