import { networkInterfaces } from 'node:os';

/**
 * The address by which other hosts would reach this one: no loopback address, where there is one.
 */
export function outerAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}
