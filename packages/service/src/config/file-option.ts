import { readFileSync, statSync } from 'node:fs';
import { ConfigError } from './config-error.ts';

/** The text and the access rights of a file. */
export interface FileReading {
  readonly text: string;
  /** Permissions; 0o600 on Windows, whose files have none. */
  readonly mode: number;
}

/**
 * Reads the file that an option names. Throws ConfigError, with the flag, for an unreadable or
 * larger file.
 */
export function readFileOption(flag: string, path: string, bytesMax: number): FileReading {
  try {
    const { size, mode } = statSync(path);
    if (size > bytesMax) throw new Error(`it has ${size} bytes; the limit is ${bytesMax}`);
    return { text: readFileSync(path, 'utf8'), mode: process.platform === 'win32' ? 0o600 : mode };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError([`${flag} ${path} cannot be read: ${reason}.`], { cause });
  }
}
