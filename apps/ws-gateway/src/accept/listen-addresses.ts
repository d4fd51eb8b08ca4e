import type { GatewayOptions } from '../options.ts';

/** A TCP port of a gateway. */
export interface ListenAddress {
  readonly host: string;
  /** 0 is any free port. */
  readonly port: number;
  /** Whether each connection begins with a header of the PROXY protocol. */
  readonly isProxied: boolean;
}

type AddressOptions = Pick<GatewayOptions, 'host' | 'port'> &
  Partial<Pick<GatewayOptions, 'proxyProtocolPort'>>;

/** Returns the ports of a gateway on each of its hosts, those for clients first. */
export function listenAddresses(options: AddressOptions): readonly [ListenAddress, ...ListenAddress[]] {
  const { host: hosts, port, proxyProtocolPort = 0 } = options;
  const [first, ...others] = hosts.map((host) => ({ host, port, isProxied: false }));
  if (first === undefined) throw new Error('A gateway has an address for clients.');
  if (proxyProtocolPort === 0) return [first, ...others];
  const proxied = hosts.map((host) => ({ host, port: proxyProtocolPort, isProxied: true }));
  return [first, ...others, ...proxied];
}
