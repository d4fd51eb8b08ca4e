import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '@groupcast/service';
import { z } from 'zod';

/** Addresses of a development system, for the other commands. */
export interface DevState {
  /** Process of `groupcast dev`. */
  readonly pid: number;
  readonly port: number;
  readonly adminPort: number;
  readonly hubPort: number;
  readonly hubAdminPort: number;
}

const FILE = 'dev.json';
const IGNORE_FILE = '.gitignore';

/** Limit of the file in bytes: a longer one is not ours. */
const FILE_BYTES_MAX = 4_096;

const port = z.int().min(1).max(65_535);
const stateSchema = z.object({
  pid: z.int().min(1),
  port,
  adminPort: port,
  hubPort: port,
  hubAdminPort: port,
});

/**
 * Creates the folder for the state, which only its owner can read and git ignores. Throws
 * ConfigError if the system rejects that, or the folder has other files.
 */
export function prepareStateFolder(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    // The next steps would hide a folder with other files from git and from other users.
    const foreign = readdirSync(dir).find((name) => name !== FILE && name !== IGNORE_FILE);
    if (foreign !== undefined) throw new Error(`it has another file, ${foreign}`);
    chmodSync(dir, 0o700);
    writeFileSync(join(dir, IGNORE_FILE), '*\n');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(
      [`--dir ${dir} cannot be used for the state: ${reason}. Name a folder of its own with --dir.`],
      { cause },
    );
  }
}

/** Writes the addresses of a running system. */
export function writeState(dir: string, state: DevState): void {
  const { pid, port, adminPort, hubPort, hubAdminPort } = state;
  const text = JSON.stringify({ pid, port, adminPort, hubPort, hubAdminPort });
  writeFileSync(join(dir, FILE), `${text}\n`, { mode: 0o600 });
}

/** Removes the addresses, unless another system has written its own since. */
export function removeState(dir: string, pid: number): void {
  if (readState(dir)?.pid === pid) rmSync(join(dir, FILE), { force: true });
}

/** Returns the addresses of the system that runs in this folder; `undefined` without one. */
export function findState(dir: string): DevState | undefined {
  const state = readState(dir);
  return state !== undefined && isAlive(state.pid) ? state : undefined;
}

/** A missing, foreign or damaged file is no state. */
function readState(dir: string): DevState | undefined {
  try {
    const text = readFileSync(join(dir, FILE), 'utf8');
    if (text.length > FILE_BYTES_MAX) return undefined;
    return stateSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It lives, and belongs to another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
