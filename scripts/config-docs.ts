// Writes docs/CONFIG.md from the tables of options of the services. With --check, fails when the
// file differs from them.
import { readFileSync, writeFileSync } from 'node:fs';
import { program as hub } from '../apps/channel-hub/src/cli/program.ts';
import { programOf } from '../apps/groupcast/src/cli/program.ts';
import { program as gateway } from '../apps/ws-gateway/src/cli/program.ts';
import { configMarkdown } from '../packages/service/src/index.ts';

const file = new URL('../docs/CONFIG.md', import.meta.url);

const page = `# Configuration

Made from the tables in the source by \`pnpm docs:config\`; do not edit.

A flag wins over an environment variable, that over the config file (JSON, named with
\`--config FILE\`), and that over the default. Unknown flags and unknown keys are errors.
\`check-config\` makes every check of a start, and shows each value with its source.

${configMarkdown(hub)}

${configMarkdown(gateway)}

${configMarkdown(programOf(''))}
`;

if (!process.argv.includes('--check')) {
  writeFileSync(file, page);
} else if (readFileSync(file, 'utf8') !== page) {
  console.error('docs/CONFIG.md is stale; run: pnpm docs:config');
  process.exitCode = 1;
}
