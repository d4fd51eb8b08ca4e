import { runMain } from '@groupcast/service';
import { program } from './cli/program.ts';

await runMain(program);
