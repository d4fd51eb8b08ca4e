import { createSecureContext } from 'node:tls';
import { ConfigError } from './config-error.ts';
import { readFileOption } from './file-option.ts';

/** Paths of PEM files, '' where none was named. */
export interface TlsFiles {
  /** One's own certificate, with the chain behind it. */
  readonly cert: string;
  readonly key: string;
  /** Certificates that the other side's must be signed by. */
  readonly ca: string;
}

/** What the files hold; without the members whose file was not named. */
export interface TlsMaterial {
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string;
}

/** A bundle with every public authority has a quarter of that. */
const PEM_BYTES_MAX = 1024 * 1024;

/**
 * Reads the PEM files of one side of a TLS link. `flags` are the flags that named them, for the errors. Throws ConfigError when one
 * cannot be read, is no PEM, or a certificate and its key do not belong together.
 */
export function readTlsFiles(files: TlsFiles, flags: TlsFiles): TlsMaterial {
  if ((files.cert === '') !== (files.key === '')) {
    throw new ConfigError([`${flags.cert} and ${flags.key} go together: give both or none.`]);
  }
  const material: TlsMaterial = {
    ...(files.cert === '' ? {} : { cert: readFileOption(flags.cert, files.cert, PEM_BYTES_MAX).text }),
    ...(files.key === '' ? {} : { key: readFileOption(flags.key, files.key, PEM_BYTES_MAX).text }),
    ...(files.ca === '' ? {} : { ca: readFileOption(flags.ca, files.ca, PEM_BYTES_MAX).text }),
  };
  try {
    createSecureContext(material);
  } catch (cause) {
    const named = [files.cert, files.key, files.ca].filter((path) => path !== '').join(', ');
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError([`TLS cannot use ${named}: ${reason}.`], { cause });
  }
  return material;
}
