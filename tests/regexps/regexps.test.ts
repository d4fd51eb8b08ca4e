import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { superLinear } from './cost.ts';
import { type Pattern, patternsOf } from './patterns.ts';

const ROOT = join(import.meta.dirname, '../..');

/** What only tests run, on texts that this repository makes: there `.*` twice in a pattern is no danger. */
const TEST_CODE = /^tests\/|^packages\/testkit\/|\/(?:testing|fixtures)\/|\.test\.ts$/;

/** Programs of the repository, those that are not committed yet included. */
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

test('no regular expression of what runs takes more than linear time', async () => {
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

test('those of tests can be checked as well: each is written where it is made', () => {
  const paths = programs().filter((one) => TEST_CODE.test(one));
  expect(paths.flatMap(patternsIn).length).toBeGreaterThan(100);
});

describe('the check', () => {
  test('finds literals and what RegExp is given, with their lines', () => {
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
