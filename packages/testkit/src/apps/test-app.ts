import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ProcessExit, startProcess, type TestProcess } from '../processes/test-process.ts';
import { freePort } from '../sockets/free-port.ts';
import { until } from '../waiting/until.ts';
import { adminRequest } from './admin-request.ts';

/** The root of the repository. */
export const REPOSITORY: string = fileURLToPath(new URL('../../../../', import.meta.url));

/**
 * Flags of an app by their keys: `{ adminPort: 1, insecure: true, welcomePage: false }` is
 * `--admin-port 1 --insecure --no-welcome-page`. A list is given item by item. `undefined` leaves
 * one out that would be given otherwise, for a test that sets it in another way.
 */
export type AppFlags = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export interface AppOptions {
  /**
   * File that node runs, in its folder. Default: the app's bundle in the repository where the
   * variable TEST_APPS is `built`, otherwise its source.
   */
  readonly main?: string;
  /** The node that runs it. Default: the one that runs the tests. */
  readonly node?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** A command that becomes node, with its arguments: `['prlimit', '--nofile=256']`. */
  readonly under?: readonly string[];
}

/** A real hub or gateway that runs as a process of its own, and answers. */
export interface TestApp {
  readonly process: TestProcess;
  /** 0 where its flag was left out. */
  readonly port: number;
  readonly adminPort: number;
  /** Asks it to end (SIGTERM), and resolves when it has. */
  stop(): Promise<ProcessExit>;
  /** Kills the process, not its children, and resolves when it is gone. */
  kill(): Promise<ProcessExit>;
}

/**
 * Starts an app on free ports, and resolves when it says that it is ready. Rejects with its output
 * when it ends before.
 */
export async function startApp(folder: string, flags: AppFlags, options: AppOptions): Promise<TestApp> {
  const app = await launchApp(folder, flags, options);
  const child = app.process;
  let exit: ProcessExit | undefined;
  void child.finished.then((end) => {
    exit = end;
  });
  await until(
    () => exit !== undefined || isReady(app.adminPort),
    () => `${folder} to be ready (its output: ${child.stdout}${child.stderr})`,
  );
  if (exit !== undefined) {
    throw new Error(`${folder} ended with ${exit.signal ?? exit.code}: ${child.stdout}${child.stderr}`);
  }
  return app;
}

/**
 * Starts an app on free ports, and does not wait for it: for one that must not, or cannot, become
 * ready.
 */
export async function launchApp(
  folder: string,
  flags: AppFlags,
  { main, node = process.execPath, env = {}, under = [] }: AppOptions,
): Promise<TestApp> {
  const port = 'port' in flags ? flags['port'] : await freePort();
  const adminPort = Number(flags['adminPort'] ?? (await freePort()));
  const program = main === undefined ? programOf(folder) : [main];
  const args = [...program, 'start', ...flagTexts({ ...flags, port, adminPort })];
  const [command = node, ...rest] = [...under, node, ...args];
  const child = startProcess(command, rest, {
    cwd: main === undefined ? REPOSITORY : dirname(main),
    env: { ...withoutSettings(), ...chosenPaths(), ...env },
  });
  const end = (signal: NodeJS.Signals): Promise<ProcessExit> => {
    child.kill(signal);
    return child.exited;
  };
  return {
    process: child,
    port: Number(port ?? 0),
    adminPort,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}

function programOf(folder: string): readonly string[] {
  if (process.env['TEST_APPS'] === 'built') return [`apps/${folder}/dist/main.js`];
  return ['--import', 'tsx', `apps/${folder}/src/main.ts`];
}

/** `GET /api/v1/stats`. */
export async function readStats<Stats>(adminPort: number): Promise<Stats> {
  const { status, body } = await adminRequest(adminPort, '/api/v1/stats');
  if (status !== 200) throw new Error(`/api/v1/stats answered ${status}: ${body}`);
  return JSON.parse(body) as Stats;
}

// What is set where the tests run must not reach the apps.
function withoutSettings(): Record<string, undefined> {
  const names = Object.keys(process.env).filter((name) => name.startsWith('GROUPCAST_'));
  return Object.fromEntries(names.map((name) => [name, undefined]));
}

/** With TEST_FAST_PATHS=false all apps do without their fast paths: everything works the same. */
function chosenPaths(): Record<string, string> {
  if (process.env['TEST_FAST_PATHS'] !== 'false') return {};
  return {
    GROUPCAST_GATEWAY_FAST_PATHS: 'false',
    GROUPCAST_GATEWAY_DIRECT_SOCKETS: 'false',
    GROUPCAST_HUB_DIRECT_SOCKETS: 'false',
  };
}

async function isReady(adminPort: number): Promise<boolean> {
  return (await adminRequest(adminPort, '/readyz')).status === 200;
}

function flagTexts(flags: AppFlags): string[] {
  return Object.entries(flags).flatMap(([key, value]) => {
    const name = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    if (value === undefined) return [];
    if (typeof value === 'boolean') return [value ? `--${name}` : `--no-${name}`];
    const values = typeof value === 'object' ? value : [value];
    return values.map((item) => `--${name}=${item}`);
  });
}
