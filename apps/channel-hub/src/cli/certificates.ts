import { isIP } from 'node:net';

/** PEM texts for TLS between a hub and its gateways, by file name. */
export type CertificateFiles = Readonly<Record<(typeof CERTIFICATE_FILES)[number], string>>;

export const CERTIFICATE_FILES = ['ca.pem', 'hub.pem', 'hub.key', 'gateway.pem', 'gateway.key'] as const;

const DAY_MS = 24 * 60 * 60 * 1_000;

/** Start of validity before now, for a clock that is behind. */
const BACKDATED_MS = DAY_MS;

/** Types of alternative names in X.509. */
const NAME_TYPES = { dns: 2, ip: 7 } as const;

const KEYS = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256' } as const;

/**
 * Creates an authority and two certificates signed by it: for the hub at `hosts` (names and
 * addresses), and for gateways. The authority's key is discarded, so no further certificate can be
 * signed.
 */
export async function makeCertificates(hosts: readonly string[], days: number): Promise<CertificateFiles> {
  // Loaded here, because only this command needs it and it loads slowly.
  const { generate } = await import('selfsigned');
  const now = Date.now();
  const times = { notBeforeDate: new Date(now - BACKDATED_MS), notAfterDate: new Date(now + days * DAY_MS) };
  const named = (value: string): { name: string; value: string }[] => [{ name: 'commonName', value }];
  const authority = await generate(named('Groupcast authority'), {
    ...KEYS,
    ...times,
    extensions: [
      { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true },
    ],
  });
  const ca = { key: authority.private, cert: authority.cert };
  const leaf = [
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, critical: true },
  ] as const;
  const altNames = hosts.map((value) => ({
    type: isIP(value) === 0 ? NAME_TYPES.dns : NAME_TYPES.ip,
    value,
  }));
  const hub = await generate(named('Groupcast hub'), {
    ...KEYS,
    ...times,
    ca,
    extensions: [...leaf, { name: 'extKeyUsage', serverAuth: true }, { name: 'subjectAltName', altNames }],
  });
  const gateway = await generate(named('Groupcast gateway'), {
    ...KEYS,
    ...times,
    ca,
    extensions: [...leaf, { name: 'extKeyUsage', clientAuth: true }],
  });
  return {
    'ca.pem': authority.cert,
    'hub.pem': hub.cert,
    'hub.key': hub.private,
    'gateway.pem': gateway.cert,
    'gateway.key': gateway.private,
  };
}
