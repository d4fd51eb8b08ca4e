import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '@groupcast/testkit';

const ADDRESS = 'ws://127.0.0.1:1234';

/** The message that the members receive, the sender too. */
export const ORIGIN_MESSAGE = 'これはメッセージです';

/** Returns the snippet of the README, word for word, with another address if one is given. */
export function originSnippet(url: string = ADDRESS): string {
  const readme = readFileSync(join(REPOSITORY, 'README.md'), 'utf8');
  const snippet = /```js\n(?<code>[^`]*add_group[^`]*)```/.exec(readme)?.groups?.['code'];
  if (snippet?.split(ADDRESS).length !== 2 || !snippet.includes(ORIGIN_MESSAGE)) {
    throw new Error(`README.md has no snippet that connects to ${ADDRESS} and sends ${ORIGIN_MESSAGE}.`);
  }
  return snippet.replace(ADDRESS, url);
}
