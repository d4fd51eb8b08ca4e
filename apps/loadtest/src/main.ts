import { fileURLToPath } from 'node:url';
import { runLoadtestProgram } from './cli/program.ts';

await runLoadtestProgram(fileURLToPath(import.meta.url), process.argv.slice(2), 'groupcast-loadtest');
