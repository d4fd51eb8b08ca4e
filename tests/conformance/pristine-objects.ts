// Reports at exit a change that an attacker made to every object of the process.
const PROGRAM = `
  import { writeSync } from 'node:fs';
  process.on('exit', () => {
    const added = Object.keys(Object.prototype);
    writeSync(2, 'Object.prototype of ' + process.pid + ' has ' + (added.length === 0 ? 'nothing new' : added) + '\\n');
  });
`;

/**
 * Environment of a process under test: at exit, it and its workers print the state of
 * `Object.prototype` to stderr.
 */
export const PRISTINE_ENV: Readonly<Record<string, string>> = {
  NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(PROGRAM)}`,
};

/** Returns the pids of the processes whose `Object.prototype` is unchanged, from their output. */
export function pristinePids(stderr: string): number[] {
  return [...stderr.matchAll(/^Object\.prototype of (\d+) has nothing new$/gm)].map(([, pid]) => Number(pid));
}
