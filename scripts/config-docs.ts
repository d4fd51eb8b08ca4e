// Writes docs/CONFIG.md from the config tables of the services; with --check, fails when the file is not what they say.
import { readFileSync, writeFileSync } from 'node:fs';
import { program as hub } from '../apps/channel-hub/src/cli/program.ts';
import { program as gateway } from '../apps/ws-gateway/src/cli/program.ts';
import { configMarkdown } from '../packages/service/src/index.ts';

const file = new URL('../docs/CONFIG.md', import.meta.url);

const page = `# Configuration

Made from the tables in the source by \`pnpm docs:config\`; do not edit.

A flag wins over an environment variable, that over the config file (JSON, named with \`--config FILE\`), and that over the
default. Unknown flags and unknown keys are errors. \`check-config\` shows what would be used, and where each value comes from.

${configMarkdown(hub)}

${configMarkdown(gateway)}
`;

if (!process.argv.includes('--check')) {
  writeFileSync(file, page);
} else if (readFileSync(file, 'utf8') !== page) {
  console.error('docs/CONFIG.md is stale; run: pnpm docs:config');
  process.exitCode = 1;
}
