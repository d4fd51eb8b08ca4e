import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const PAGE = new URL('../../docs/GUARANTEES.md', import.meta.url);

/** A link whose text is a part of a test's title, to the file of that test. */
const LINK = /\[(?<title>[^\]]+)\]\((?<path>[^)]+\.ts)\)/g;

const promises = readFileSync(PAGE, 'utf8')
  .split('\n')
  .filter((line) => /^\| \d+ \|/.test(line));

test('the page has its promises', () => {
  expect(promises.length).toBeGreaterThanOrEqual(30);
});

test.each(promises)('%s', (line) => {
  const links = [...line.matchAll(LINK)];
  expect(links.length, 'the promise names a test').toBeGreaterThan(0);
  for (const { groups } of links) {
    const file = readFileSync(new URL(groups?.['path'] ?? '', PAGE), 'utf8');
    expect(file.includes(groups?.['title'] ?? ''), `${groups?.['path']} has "${groups?.['title']}"`).toBe(
      true,
    );
  }
});
