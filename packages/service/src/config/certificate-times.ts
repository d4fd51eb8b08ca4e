import { X509Certificate } from 'node:crypto';

/** Times of the certificates of one file, in milliseconds since 1970. */
export interface CertificateTimes {
  /** Flag that named the file. */
  readonly flag: string;
  readonly path: string;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** One text for each kind of file with certificates: PEM, a path, or a flag. */
interface CertificateFiles {
  readonly cert: string;
  readonly ca: string;
}

const DAY_MS = 24 * 60 * 60 * 1_000;

/** Days before the end of a certificate from which on a warning says so. */
const WARNING_DAYS = 30;

const PEM_BEGIN = '-----BEGIN CERTIFICATE-----';
const PEM_END = '-----END CERTIFICATE-----';

/**
 * Returns the times of the files that were named. A chain is valid while all its certificates are;
 * a file of authorities, while one of them is.
 */
export function certificateTimes(
  { cert, ca }: Partial<CertificateFiles>,
  paths: CertificateFiles,
  flags: CertificateFiles,
): readonly CertificateTimes[] {
  const chain = spansOf(cert);
  const authorities = spansOf(ca);
  const times: CertificateTimes[] = [];
  if (chain.length > 0) {
    const fromMs = Math.max(...chain.map(([from]) => from));
    const untilMs = Math.min(...chain.map(([, until]) => until));
    times.push({ flag: flags.cert, path: paths.cert, fromMs, untilMs });
  }
  if (authorities.length > 0) {
    const fromMs = Math.min(...authorities.map(([from]) => from));
    const untilMs = Math.max(...authorities.map(([, until]) => until));
    times.push({ flag: flags.ca, path: paths.ca, fromMs, untilMs });
  }
  return times;
}

/** Returns a sentence for each file that has expired. */
export function expiredCertificates(times: readonly CertificateTimes[], nowMs: number): readonly string[] {
  return times
    .filter(({ untilMs }) => untilMs <= nowMs)
    .map(({ flag, path, untilMs }) => `${flag} ${path} has expired on ${dateOf(untilMs)}. Renew it.`);
}

/** Returns a sentence for each file that is not valid yet, or not for long. */
export function certificateWarnings(
  times: readonly CertificateTimes[],
  nowMs: number = Date.now(),
): readonly string[] {
  return times.flatMap(({ flag, path, fromMs, untilMs }) => {
    if (fromMs > nowMs) {
      return [`${flag} ${path} is valid from ${dateOf(fromMs)} on only. Check the clock of this machine.`];
    }
    if (untilMs - nowMs > WARNING_DAYS * DAY_MS) return [];
    return [`${flag} ${path} expires on ${dateOf(untilMs)}. Renew it before.`];
  });
}

function spansOf(pem = ''): readonly (readonly [fromMs: number, untilMs: number])[] {
  const [, ...certificates] = pem.split(PEM_BEGIN);
  return certificates
    .filter((text) => text.includes(PEM_END))
    .map((text) => {
      const { validFrom, validTo } = new X509Certificate(PEM_BEGIN + text);
      return [Date.parse(validFrom), Date.parse(validTo)] as const;
    });
}

/** Returns the day and the time to the second, in UTC. */
function dateOf(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
