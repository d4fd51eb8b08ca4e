// Prints the closing line of a CI run from vitest's JSON reports, and fails where a test failed, was skipped, or none ran.
import { readFileSync } from 'node:fs';

const reports = process.argv.slice(2).map((file) => JSON.parse(readFileSync(file, 'utf8')));
const sum = (name) => reports.reduce((total, report) => total + report[name], 0);

const passed = sum('numPassedTests');
const failed = sum('numFailedTests');
const skipped = sum('numPendingTests') + sum('numTodoTests');
// A file that cannot be loaded has no tests to fail, but fails all the same.
const unloaded = reports
  .flatMap((report) => report.testResults)
  .filter((file) => file.status === 'failed' && file.assertionResults.length === 0);

for (const file of unloaded) console.error(`not loaded: ${file.name}\n${file.message}`);
console.log(`tests: ${passed} passed, ${failed + unloaded.length} failed, ${skipped} skipped`);
process.exit(passed > 0 && failed + unloaded.length + skipped === 0 ? 0 : 1);
