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

/** Returns the ports of a gateway, that for clients first. */
export function listenAddresses(options: AddressOptions): readonly [ListenAddress, ...ListenAddress[]] {
  const { host, port, proxyProtocolPort = 0 } = options;
  const clients = { host, port, isProxied: false };
  return proxyProtocolPort === 0 ? [clients] : [clients, { host, port: proxyProtocolPort, isProxied: true }];
}
