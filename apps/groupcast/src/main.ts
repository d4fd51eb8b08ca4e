import cluster from 'node:cluster';
import { fileURLToPath } from 'node:url';
import { runWorker } from '@groupcast/gateway/worker';
import { runCommandLine } from './cli/command-line.ts';

// `groupcast gateway start` forks this file for its workers.
if (cluster.isPrimary) await runCommandLine(fileURLToPath(import.meta.url), process.argv.slice(2));
else runWorker();
