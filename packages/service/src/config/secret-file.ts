import { ConfigError } from './config-error.ts';
import { readFileOption } from './file-option.ts';

/**
 * Bytes of the shortest secret: a proof that is seen on the network lets its reader try secrets
 * offline.
 */
const SECRET_BYTES_MIN = 16;

/** Limit of the file in bytes: a longer one is the wrong file. */
const SECRET_FILE_BYTES_MAX = 4_096;

const READABLE_BY_OTHERS = 0o044;
const WRITABLE_BY_OTHERS = 0o022;

/** A secret, and a warning about its file. */
export interface SecretReading {
  /** Secret, or '' where no file was named. */
  readonly secret: string;
  /** Warning about a file that works and should be fixed. */
  readonly warning: string | undefined;
}

/** Secrets, and warnings about their files. */
export interface SecretsReading {
  readonly secrets: readonly string[];
  readonly warnings: readonly string[];
}

/** Flag that names a secret's file, and the bytes of the shortest secret there. */
export interface SecretRule {
  readonly flag: string;
  readonly bytesMin: number;
}

const SHARED_SECRET: SecretRule = { flag: '--secret-file', bytesMin: SECRET_BYTES_MIN };

/**
 * Reads a secret, without white space around it. Throws ConfigError for an unreadable file, one
 * that other users may write, and a short secret.
 */
export function readSecretFile(path: string, rule: SecretRule = SHARED_SECRET): SecretReading {
  if (path === '') return { secret: '', warning: undefined };
  const { flag, bytesMin } = rule;
  const { text, mode } = readFileOption(flag, path, SECRET_FILE_BYTES_MAX);
  if ((mode & WRITABLE_BY_OTHERS) !== 0) {
    throw new ConfigError([
      `${flag} ${path} can be written by other users, who could replace the secret. Run: chmod 600 ${path}`,
    ]);
  }
  const secret = text.trim();
  if (Buffer.byteLength(secret) < bytesMin) {
    throw new ConfigError([
      `${flag} ${path} has less than ${bytesMin} bytes; make a secret with "groupcast-hub gen-secret".`,
    ]);
  }
  const open = (mode & READABLE_BY_OTHERS) !== 0;
  return { secret, warning: open ? `${path} can be read by other users; run: chmod 600 ${path}` : undefined };
}

/**
 * Reads the secrets of several files, each secret once. Throws ConfigError, as `readSecretFile`
 * does.
 */
export function readSecretFiles(paths: readonly string[]): SecretsReading {
  const readings = paths.map((path) => readSecretFile(path));
  return {
    secrets: [...new Set(readings.map(({ secret }) => secret))],
    warnings: readings.flatMap(({ warning }) => (warning === undefined ? [] : [warning])),
  };
}
