import { join } from 'node:path';
import { REPOSITORY } from '@groupcast/testkit';
import { describe } from 'vitest';
import { chatSuite } from './chat-suite.ts';
import { withoutBrowser } from './open-browser.ts';

describe.skipIf(withoutBrowser)('examples/chat in the workspace', () => {
  chatSuite(() => join(REPOSITORY, 'examples', 'chat'));
});
