import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';

// The suite of packages/client for runtimes that are not Node, and for jsdom.
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('../../../packages/client', import.meta.url)),
    // Excludes Node, the package ws and the build. `sdk.test.ts` uses the WebSocket of each
    // runtime.
    exclude: [...configDefaults.exclude, 'test/{bundle,node,ws}.test.ts'],
    // Bun does not find the exports of zod unless vitest resolves them.
    server: { deps: { inline: ['zod'] } },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
