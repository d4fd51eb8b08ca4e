import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { superLinear } from './cost.ts';
import { type Pattern, patternsOf } from './patterns.ts';

const ROOT = join(import.meta.dirname, '../..');

/**
 * Code that only tests run, on texts of this repository: `.*` twice in a pattern is harmless there.
 */
const TEST_CODE = /^tests\/|^packages\/testkit\/|\/(?:testing|fixtures)\/|\.test\.ts$/;

/** Programs of the repository, including those that are not committed yet. */
function programs(): readonly string[] {
  const listed = execFileSync(
    'git',
    [
      'ls-files',
      '-z',
      '--cached',
      '--others',
      '--exclude-standard',
      '--deduplicate',
      '*.ts',
      '*.mjs',
      '*.js',
    ],
    { cwd: ROOT, encoding: 'utf8' },
  );
  return listed.split('\0').filter((path) => path !== '' && existsSync(join(ROOT, path)));
}

function patternsIn(path: string): readonly Pattern[] {
  return patternsOf(path, readFileSync(join(ROOT, path), 'utf8'));
}

test('all regular expressions of the programs take linear time', async () => {
  const bad: string[] = [];
  let checked = 0;
  for (const path of programs().filter((one) => !TEST_CODE.test(one))) {
    for (const pattern of patternsIn(path)) {
      const why = await superLinear(pattern);
      checked += 1;
      if (why !== undefined) bad.push(`${path}:${pattern.line} /${pattern.source}/${pattern.flags} ${why}`);
    }
  }
  expect(bad).toEqual([]);
  expect(checked).toBeGreaterThan(30);
});

test('those of tests are readable for the check: each is a literal', () => {
  const paths = programs().filter((one) => TEST_CODE.test(one));
  expect(paths.flatMap(patternsIn).length).toBeGreaterThan(100);
});

describe('the check', () => {
  test('finds literals and arguments of RegExp, with their lines', () => {
    const program = `const a = /x+/g;\n// /not/\nnew RegExp(\`^\${a}$\`, 'i');\nRegExp('y');`;
    expect(patternsOf('a.ts', program)).toEqual([
      { line: 1, source: 'x+', flags: 'g' },
      { line: 3, source: '^1$', flags: 'i' },
      { line: 4, source: 'y', flags: '' },
    ]);
    expect(() => patternsOf('a.ts', 'new RegExp(a);')).toThrow('a.ts: a RegExp is made of a value');
  });

  test.each([
    ['^(a+)+$', 'exponential'],
    [String.raw`\s+$`, '2nd degree polynomial'],
    [String.raw`^x:[ \t]*([ -~\t]*)$`, '2nd degree polynomial'],
    ['^[a-z]+:[a-z]*$', undefined],
  ])('/%s/ is %s', async (source, complexity) => {
    const why = await superLinear({ line: 1, source, flags: '' });
    if (complexity === undefined) expect(why).toBeUndefined();
    else expect(why).toContain(complexity);
  });
});
