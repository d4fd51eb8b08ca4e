import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '@groupcast/testkit';
import { expect, test } from 'vitest';

const page = readFileSync(join(REPOSITORY, 'docs/ARCHITECTURE.md'), 'utf8');
const section = page.split('\n## ').find((part) => part.startsWith('To change X')) ?? '';
const rows = section
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| to change') && !line.startsWith('| ---'))
  .map((line) => line.split('|').slice(1, 3))
  .map(([what = '', where = '']) => ({ what: what.trim(), where }));

test('the table has its rows', () => {
  expect(rows.length).toBeGreaterThan(25);
});

test.each(rows)('$what: the folders exist', ({ where }) => {
  // A room that is planned says so behind its own path.
  const known = where.split(/[^;.]*not there yet/)[0] ?? '';
  const paths = [...known.matchAll(/`(?<path>(?:apps|packages|bench)\/[\w./-]*)`/g)];
  for (const { groups } of paths)
    expect(existsSync(join(REPOSITORY, groups?.['path'] ?? '')), groups?.['path']).toBe(true);
});

const hops = [...page.matchAll(/^\| \d [^|]*\|(?<functions>[^|]*)\|/gm)]
  .flatMap(({ groups }) => [...(groups?.['functions'] ?? '').matchAll(/`(?<owner>[A-Z]\w+)\.(?<name>\w+)`/g)])
  .map(({ groups }) => ({ owner: groups?.['owner'] ?? '', name: groups?.['name'] ?? '' }));

test('the seven hops name their functions', () => {
  expect(hops.length).toBeGreaterThan(12);
});

test.each(hops)('$owner: $name exists', ({ owner, name }) => {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: REPOSITORY, encoding: 'utf8' }).trim();
  const declaration = `(class|interface) ${owner}\\b`;
  const files = git('grep', '-lE', declaration, '--', 'apps/*/src/*.ts', 'packages/*/src/*.ts').split('\n');
  const method = new RegExp(`^ {2}(?:readonly )?${name}[(<:]`, 'm');
  expect(files.some((file) => method.test(readFileSync(join(REPOSITORY, file), 'utf8')))).toBe(true);
});
