import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '@groupcast/testkit';

const ADDRESS = 'ws://127.0.0.1:1234';

/** What the snippet's members get, the sender too. */
export const ORIGIN_MESSAGE = 'これはメッセージです';

/** The snippet that the README tells newcomers to paste, word for word, with another address where one is given. */
export function originSnippet(url: string = ADDRESS): string {
  const readme = readFileSync(join(REPOSITORY, 'README.md'), 'utf8');
  const snippet = /```js\n(?<code>[^`]*add_group[^`]*)```/.exec(readme)?.groups?.['code'];
  if (snippet?.split(ADDRESS).length !== 2 || !snippet.includes(ORIGIN_MESSAGE)) {
    throw new Error(`README.md has no snippet that connects to ${ADDRESS} and sends ${ORIGIN_MESSAGE}.`);
  }
  return snippet.replace(ADDRESS, url);
}
