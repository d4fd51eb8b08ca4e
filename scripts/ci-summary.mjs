// Prints the summary of a CI run from vitest's JSON reports: failed and skipped tests, and totals.
// Fails if a test failed or was skipped, or if no test ran.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const files = process.argv
  .slice(2)
  .map((file) => JSON.parse(readFileSync(file, 'utf8')))
  .flatMap((report) => report.testResults)
  .map((file) => ({ ...file, name: relative('.', file.name) }));
const tests = files.flatMap((file) => file.assertionResults.map((test) => ({ ...test, file: file.name })));
const passed = tests.filter(({ status }) => status === 'passed');
const failed = tests.filter(({ status }) => status === 'failed');
const skipped = tests.filter(({ status }) => status !== 'passed' && status !== 'failed');
// A file that cannot be loaded has no tests that could fail.
const unloaded = files.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);

for (const file of unloaded) console.error(`not loaded: ${file.name}\n${file.message}\n`);
for (const test of skipped) console.error(`skipped: ${test.file}: ${test.fullName}`);
for (const test of failed)
  console.error(`failed: ${test.file}: ${test.fullName}\n${test.failureMessages.join('\n')}\n`);
console.log(
  `tests: ${passed.length} passed, ${failed.length + unloaded.length} failed, ${skipped.length} skipped`,
);
process.exit(passed.length > 0 && failed.length + unloaded.length + skipped.length === 0 ? 0 : 1);
