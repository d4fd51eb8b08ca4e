import cluster from 'node:cluster';
import { runMain } from '@groupcast/service';
import { program } from './cli/program.ts';
import { runWorker } from './processes/worker.ts';

if (cluster.isPrimary) await runMain(program);
else runWorker();
