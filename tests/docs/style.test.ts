import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const SCRIPT = new URL('../../scripts/check-style.mjs', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'check-style-'));
afterAll(() => rmSync(folder, { recursive: true }));

const words = 'word '.repeat(21);

const BAD: [name: string, file: string, text: string, finding: string][] = [
  ['a banned word in a comment', 'a.ts', '// Whoever asks.\n', ':1: "Whoever"'],
  ['a banned word in a string', 'a.ts', "throw new Error('Mend the client.');\n", ':1: "Mend"'],
  ['a banned word in Markdown', 'a.md', 'All is well.\nLoad it anew.\n', ':2: "anew"'],
  ['a phrase that wraps in a comment', 'a.ts', '// It closes in good\n// order.\n', ':1: "in good order"'],
  ['a phrase that wraps in Markdown', 'a.md', 'A string that is\nnone.\n', ':1: "is none"'],
  ['a wide comment', 'a.ts', `// ${words}\n`, ':1: 107 columns'],
  ['a wide comment behind code', 'a.ts', `const a = 1; // ${words}\n`, ':1: 120 columns'],
  ['a wide line in a block', 'a.ts', `/**\n * ${words}\n */\n`, ':2: 107 columns'],
  ['a wide comment of a script', 'a.sh', `# ${words}\n`, ':1: 106 columns'],
  ['wide prose', 'a.md', `${words}\n`, ':1: 104 columns'],
  ['a wide item of a list', 'a.md', `- a\n    ${words}\n`, ':2: 108 columns'],
  ['a doc comment without a subject', 'a.ts', '/** What is sent. */\n', ':1: doc comment begins with "What"'],
  [
    'the same in its second line',
    'a.ts',
    '/**\n * Where it is.\n */\n',
    ':1: doc comment begins with "Where"',
  ],
];

test.each(BAD)('%s is found', (_name, file, text, finding) => {
  const { status, stdout } = checkStyle(file, text);
  expect(stdout).toContain(`${file}${finding}`);
  expect(stdout).toContain('1 findings');
  expect(status).toBe(1);
});

const GOOD: [name: string, file: string, text: string][] = [
  ['a plain doc comment', 'a.ts', '/** Returns the position, or undefined where the group is unknown. */\n'],
  ['a longer word with a banned one inside', 'a.ts', '// Recommended, amends nothing, the newest.\n'],
  ['a comment that asks a question', 'a.ts', '// What if the hub restarts here? The epoch changes.\n'],
  ['a wide line of code', 'a.ts', `const a = '${words}';\n`],
  ['a wide table', 'a.md', `| ${words} |\n`],
  ['a wide block of code', 'a.md', `\`\`\`\n${words}\n\`\`\`\n\n    ${words}\n`],
  ['a long address', 'a.md', `See [the page](https://example.com/${'a'.repeat(100)}).\n`],
  ['a long address in a comment', 'a.ts', `// See https://example.com/${'a'.repeat(100)}\n`],
];

test.each(GOOD)('%s is not', (_name, file, text) => {
  const { status, stdout } = checkStyle(file, text);
  expect(stdout).toBe('0 findings\n');
  expect(status).toBe(0);
});

function checkStyle(file: string, text: string) {
  const path = join(folder, file);
  writeFileSync(path, text);
  return spawnSync(process.execPath, [SCRIPT, path], { encoding: 'utf8' });
}
