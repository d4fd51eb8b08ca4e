import { fileURLToPath } from 'node:url';
import { runMain } from '@groupcast/service';
import { expandUrl, programOf } from './cli/program.ts';
import { GENERATOR_ARGUMENT } from './control/crew.ts';
import { runGenerator } from './generator/generator-main.ts';

const [node = '', script = '', ...argv] = process.argv;
if (argv[0] === GENERATOR_ARGUMENT) {
  runGenerator();
} else {
  process.argv = [node, script, ...expandUrl(argv)];
  await runMain(programOf(fileURLToPath(import.meta.url)));
}
