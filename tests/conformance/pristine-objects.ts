// What an attacker would add to every object of the process shows when it ends.
const PROGRAM = `
  import { writeSync } from 'node:fs';
  process.on('exit', () => {
    const added = Object.keys(Object.prototype);
    writeSync(2, 'Object.prototype of ' + process.pid + ' has ' + (added.length === 0 ? 'nothing new' : added) + '\\n');
  });
`;

/** For a process under test: at its end, it and its workers say on stderr what has become of `Object.prototype`. */
export const PRISTINE_ENV: Readonly<Record<string, string>> = {
  NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(PROGRAM)}`,
};

/** The pids of the processes whose `Object.prototype` is as it was, from what they said. */
export function pristinePids(stderr: string): number[] {
  return [...stderr.matchAll(/^Object\.prototype of (\d+) has nothing new$/gm)].map(([, pid]) => Number(pid));
}
