import { ConfigError } from './config-error.ts';
import { readFileOption } from './file-option.ts';

/** Shorter secrets can be found by trying: the proofs of the handshake let anybody who sees one try at home. */
const SECRET_BYTES_MIN = 16;

/** A file that is longer is not a secret but a slip. */
const SECRET_FILE_BYTES_MAX = 4_096;

const READABLE_BY_OTHERS = 0o044;

/** A secret, and what there is to say about its file. */
export interface SecretReading {
  /** '' where no file was named. */
  readonly secret: string;
  /** What the operator should mend, though it works. */
  readonly warning: string | undefined;
}

/** Secrets, and what there is to say about their files. */
export interface SecretsReading {
  readonly secrets: readonly string[];
  readonly warnings: readonly string[];
}

/** Reads the shared secret; white space around it does not count. Throws ConfigError when there is no good secret in the file. */
export function readSecretFile(path: string): SecretReading {
  if (path === '') return { secret: '', warning: undefined };
  const { text, mode } = readFileOption('--secret-file', path, SECRET_FILE_BYTES_MAX);
  const secret = text.trim();
  if (Buffer.byteLength(secret) < SECRET_BYTES_MIN) {
    throw new ConfigError([
      `--secret-file ${path} holds less than ${SECRET_BYTES_MIN} bytes; make one with "groupcast-hub gen-secret".`,
    ]);
  }
  const open = (mode & READABLE_BY_OTHERS) !== 0;
  return { secret, warning: open ? `${path} can be read by others; run: chmod 600 ${path}` : undefined };
}

/** Reads the secrets of several files, each secret once. Throws ConfigError, as `readSecretFile` does. */
export function readSecretFiles(paths: readonly string[]): SecretsReading {
  const readings = paths.map(readSecretFile);
  return {
    secrets: [...new Set(readings.map(({ secret }) => secret))],
    warnings: readings.flatMap(({ warning }) => (warning === undefined ? [] : [warning])),
  };
}
