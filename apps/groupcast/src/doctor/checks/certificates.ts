import { X509Certificate } from 'node:crypto';
import type { PreparedAccess } from '../../channel/hub-access.ts';
import type { Finding } from '../finding.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;

/** Days before the end of a certificate from which on it should be replaced. */
const REPLACE_DAYS = 30;

const CHECK = 'certificates';

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Checks the times of all certificates for the hub, and that the CA has signed the own one. */
export function checkCertificates({ client }: PreparedAccess, nowMs: number): Finding[] {
  const { ca = '', cert = '' } = client.tls ?? {};
  const authorities = certificatesOf(ca);
  const own = certificatesOf(cert);
  if (authorities.length + own.length === 0) {
    return [{ state: 'skipped', check: CHECK, text: 'None is named: see --hub-tls.' }];
  }
  const findings = [
    ...authorities.map((one) => checkTimes(one, '--hub-tls-ca-file', nowMs)),
    ...own.map((one) => checkTimes(one, '--hub-tls-cert-file', nowMs)),
  ];
  const [leaf] = own;
  const isForeign =
    leaf !== undefined &&
    authorities.length > 0 &&
    ![...authorities, ...own].some((one) => leaf.checkIssued(one) && leaf.verify(one.publicKey));
  if (isForeign) {
    const text =
      '--hub-tls-cert-file is not signed by --hub-tls-ca-file. Use files of one run of "groupcast cert", ' +
      'unless the hub has another --tls-ca-file.';
    findings.push({ state: 'warning', check: CHECK, text });
  }
  return findings;
}

function certificatesOf(pem: string): X509Certificate[] {
  return Array.from(pem.matchAll(PEM), ([text]) => new X509Certificate(text));
}

function checkTimes({ validFrom, validTo }: X509Certificate, flag: string, nowMs: number): Finding {
  const days = (Date.parse(validTo) - nowMs) / DAY_MS;
  const replace = 'Make new ones with "groupcast cert", and give them to the hub and its gateways.';
  if (Date.parse(validFrom) > nowMs) {
    const text = `${flag} is valid from ${validFrom} on only. Check the clock of this machine.`;
    return { state: 'fault', check: CHECK, text };
  }
  if (days <= 0)
    return { state: 'fault', check: CHECK, text: `${flag} has expired on ${validTo}. ${replace}` };
  const state = days < REPLACE_DAYS ? 'warning' : 'ok';
  const text = `${flag} is valid until ${validTo}.`;
  return { state, check: CHECK, text: state === 'ok' ? text : `${text} ${replace}` };
}
