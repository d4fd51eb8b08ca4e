import { fileURLToPath } from 'node:url';
import { REPOSITORY, startProcess, type TestProcess } from '@groupcast/testkit';

const PROGRAM = fileURLToPath(new URL('./attackers/main.ts', import.meta.url));

/** An attacker in a process of its own, so that what it costs itself does not delay those who are measured. */
export class Attacker {
  /** What it says that it did, round by round. */
  readonly did: string[] = [];
  readonly #process: TestProcess;

  private constructor(program: TestProcess) {
    this.#process = program;
  }

  /** `name` as in attackers/main.ts; resolves when it is ready to attack what listens on a port. */
  static async start(name: string, port: number, ...more: readonly string[]): Promise<Attacker> {
    const args = ['--import', 'tsx', PROGRAM, name, `${port}`, ...more];
    const program = startProcess(process.execPath, args, { cwd: REPOSITORY, stdin: true });
    await program.waitForLine(/^ready$/);
    return new Attacker(program);
  }

  /** Resolves when it is connected and attacks. */
  async attack(): Promise<void> {
    this.#process.write('attack\n');
    await this.#process.lines.next((line) => line === 'attacking');
  }

  /** Resolves when it does nothing any more. */
  async rest(): Promise<void> {
    this.#process.write('rest\n');
    this.did.push(await this.#process.lines.next((line) => line.startsWith('did ')));
  }
}
