import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  adminRequest,
  freePort,
  REPOSITORY,
  startProcess,
  type TestProcess,
  until,
} from '@groupcast/testkit';

const COMMANDS = { 'groupcast-hub': 'channel-hub', 'groupcast-gateway': 'ws-gateway' } as const;

/**
 * A folder with the files of an operator, and a shell that finds the commands of hub and gateway.
 * Their ports are free ones, so that commands of pages run as they are written.
 */
export class OperatorShell {
  /** Below tests/, so that programs find the packages of the workspace. */
  readonly folder: string;
  readonly #env: Record<string, string>;
  readonly #ports: Readonly<Record<'hub' | 'hubAdmin' | 'gateway' | 'gatewayAdmin', number>>;

  private constructor(folder: string, ports: OperatorShell['ports']) {
    this.folder = folder;
    this.#ports = ports;
    this.#env = {
      PATH: `${join(folder, 'bin')}:${process.env['PATH']}`,
      GROUPCAST_HUB_PORT: String(ports.hub),
      GROUPCAST_HUB_ADMIN_PORT: String(ports.hubAdmin),
      GROUPCAST_GATEWAY_HOST: '127.0.0.1',
      GROUPCAST_GATEWAY_HUB: `127.0.0.1:${ports.hub}`,
      GROUPCAST_GATEWAY_PORT: String(ports.gateway),
      GROUPCAST_GATEWAY_ADMIN_PORT: String(ports.gatewayAdmin),
      GROUPCAST_GATEWAY_WORKERS: '1',
    };
  }

  static async create(): Promise<OperatorShell> {
    const cache = join(REPOSITORY, 'tests/node_modules/.cache');
    mkdirSync(cache, { recursive: true });
    const folder = mkdtempSync(join(cache, 'operator-'));
    mkdirSync(join(folder, 'bin'));
    for (const [command, app] of Object.entries(COMMANDS)) {
      const path = join(folder, 'bin', command);
      writeFileSync(path, `#!/bin/sh\nexec ${mainOf(app)} "$@"\n`);
      chmodSync(path, 0o755);
    }
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    const [hub, hubAdmin, gateway, gatewayAdmin] = await Promise.all([1, 2, 3, 4].map(() => freePort()));
    return new OperatorShell(folder, {
      hub: hub ?? 0,
      hubAdmin: hubAdmin ?? 0,
      gateway: gateway ?? 0,
      gatewayAdmin: gatewayAdmin ?? 0,
    });
  }

  get ports(): Readonly<Record<'hub' | 'hubAdmin' | 'gateway' | 'gatewayAdmin', number>> {
    return this.#ports;
  }

  /** URL of the gateway. */
  get url(): string {
    return `ws://127.0.0.1:${this.#ports.gateway}`;
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  /** Starts a command or a script. */
  start(script: string): TestProcess {
    return startProcess('/bin/sh', ['-ec', script], { cwd: this.folder, env: this.#env });
  }

  /** Runs a script to a successful end, and returns its output without the last line feed. */
  async run(script: string): Promise<string> {
    const child = this.start(script);
    const { code, signal } = await child.finished;
    if (code !== 0) throw new Error(`${script} ended with ${signal ?? code}: ${child.stdout}${child.stderr}`);
    return child.stdout.trimEnd();
  }

  /** Starts the services of commands, and resolves when all of them are ready. */
  async serve(...commands: readonly string[]): Promise<void> {
    for (const command of commands) {
      const child = this.start(`exec ${command}`);
      const port = command.startsWith('groupcast-hub') ? this.#ports.hubAdmin : this.#ports.gatewayAdmin;
      await until(
        async () => (await adminRequest(port, '/readyz')).status === 200,
        () => `${command} to be ready: ${child.stdout}${child.stderr}`,
      );
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function mainOf(app: string): string {
  if (process.env['TEST_APPS'] === 'built')
    return `'${process.execPath}' '${REPOSITORY}/apps/${app}/dist/main.js'`;
  return `'${process.execPath}' --import '${import.meta.resolve('tsx')}' '${REPOSITORY}/apps/${app}/src/main.ts'`;
}
