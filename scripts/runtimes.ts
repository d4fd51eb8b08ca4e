// Installs the runtimes that tests use in addition to Node 20, and prints their paths.
// Arguments: names of runtimes. Default: all.
import { ALL_RUNTIMES, runtimePath } from '../packages/testkit/src/index.ts';

const names = process.argv.slice(2);
const unknown = names.filter((name) => !ALL_RUNTIMES.some((one) => one === name));
if (unknown.length > 0) {
  console.error(`There is no runtime ${unknown.join(', ')}. Name some of ${ALL_RUNTIMES.join(', ')}.`);
  process.exit(1);
}
const chosen = ALL_RUNTIMES.filter((one) => names.length === 0 || names.includes(one));
for (const runtime of chosen) console.log(`${runtime} ${await runtimePath(runtime)}`);
