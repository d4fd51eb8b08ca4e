import { fileURLToPath } from 'node:url';
import { REPOSITORY, startProcess, type TestProcess } from '@groupcast/testkit';

const PROGRAM = fileURLToPath(new URL('./attackers/main.ts', import.meta.url));

/** An attacker in a process of its own, so that its own cost does not delay the bystanders. */
export class Attacker {
  /** Its reports, round by round. */
  readonly did: string[] = [];
  readonly #process: TestProcess;

  private constructor(program: TestProcess) {
    this.#process = program;
  }

  /** Starts the attack `name` of attackers/main.ts on a port. Resolves when it is ready. */
  static async start(name: string, port: number, ...more: readonly string[]): Promise<Attacker> {
    const args = ['--import', 'tsx', PROGRAM, name, `${port}`, ...more];
    const program = startProcess(process.execPath, args, { cwd: REPOSITORY, stdin: true });
    await program.waitForLine(/^ready$/);
    return new Attacker(program);
  }

  /** Resolves when the attack is running. */
  async attack(): Promise<void> {
    this.#process.write('attack\n');
    await this.#process.lines.next((line) => line === 'attacking');
  }

  /** Resolves when the attack has ended. */
  async rest(): Promise<void> {
    this.#process.write('rest\n');
    this.did.push(await this.#process.lines.next((line) => line.startsWith('did ')));
  }
}
