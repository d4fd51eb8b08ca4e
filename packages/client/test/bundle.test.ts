import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

/** 8,000 before tokens, permissions and messages to users. */
const GZIPPED_BYTES_MAX = 9_300;

const folder = fileURLToPath(new URL('..', import.meta.url));

test(`what a page loads is below ${GZIPPED_BYTES_MAX} bytes, gzipped, and needs nothing else`, async () => {
  const { outputFiles, metafile } = await build({
    absWorkingDir: folder,
    entryPoints: ['src/index.ts'],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
    metafile: true,
  });
  expect(gzipSync(outputFiles[0]!.contents, { level: 9 }).length).toBeLessThan(GZIPPED_BYTES_MAX);
  const files = Object.keys(metafile.inputs);
  expect(
    files.filter((file) => !/^(src|\.\.\/protocol\/src)\//.test(file) || file.endsWith('.node.ts')),
  ).toEqual([]);
});

test('the package has no dependencies', () => {
  const manifest = JSON.parse(readFileSync(`${folder}package.json`, 'utf8'));
  expect(manifest).not.toHaveProperty('dependencies');
  expect(manifest).not.toHaveProperty('peerDependencies');
  const sources = readdirSync(`${folder}src`, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /(?<!\.test|\.d)\.ts$/.test(file),
  );
  const imports = sources.flatMap((file) =>
    [...readFileSync(`${folder}src/${file}`, 'utf8').matchAll(/ from '(?<from>[^']+)'/g)].map(
      ({ groups }) => groups?.['from'],
    ),
  );
  expect(imports.length).toBeGreaterThan(20);
  expect(imports.filter((from) => !/^(\.\.?\/|#|@groupcast\/protocol\/client$)/.test(from ?? ''))).toEqual(
    [],
  );
});
