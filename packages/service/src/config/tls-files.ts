import { createSecureContext } from 'node:tls';
import { certificateTimes, expiredCertificates } from './certificate-times.ts';
import { ConfigError } from './config-error.ts';
import { readFileOption } from './file-option.ts';

/** Paths of PEM files, '' where none was named. */
export interface TlsFiles {
  /** Own certificate, with its chain. */
  readonly cert: string;
  readonly key: string;
  /** CA certificates for the certificate of the other side. */
  readonly ca: string;
}

/** Contents of the files that were named. */
export interface TlsMaterial {
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string;
}

/** Limit of a PEM file in bytes: four times a bundle of all public CAs. */
const PEM_BYTES_MAX = 1024 * 1024;

/**
 * Reads the PEM files of one side of a TLS link. `flags` are the flags that named them, for errors.
 * Throws ConfigError for a file that cannot be read or is not PEM, for a certificate and a key that
 * do not match, and for certificates that have expired.
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
  for (const name of ['cert', 'ca'] as const) {
    // An empty list of authorities would stand for all public ones.
    if (material[name] === undefined || material[name].includes('-----BEGIN CERTIFICATE-----')) continue;
    throw new ConfigError([`${flags[name]} ${files[name]} has no certificate in PEM form.`]);
  }
  if (material.key?.trim() === '') throw new ConfigError([`${flags.key} ${files.key} is empty.`]);
  try {
    createSecureContext(material);
  } catch (cause) {
    const named = [files.cert, files.key, files.ca].filter((path) => path !== '').join(', ');
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError([`TLS cannot use ${named}: ${reason}.`], { cause });
  }
  const expired = expiredCertificates(certificateTimes(material, files, flags), Date.now());
  if (expired.length > 0) throw new ConfigError(expired);
  return material;
}
