import type { ListenAddress } from '../../accept/listen-addresses.ts';
import { SharedPort } from './shared-port.ts';

/**
 * Opens a port for each address, or takes it from those that are `present`. When one cannot be
 * opened, it closes those that it has opened, and throws what `failed` returns.
 */
export async function openPorts(
  addresses: readonly ListenAddress[],
  present: readonly SharedPort[],
  failed: (address: ListenAddress, cause: unknown) => unknown,
): Promise<readonly SharedPort[]> {
  const ports: SharedPort[] = [];
  for (const address of addresses) {
    try {
      ports.push(present.find((port) => port.isAt(address)) ?? (await SharedPort.open(address)));
    } catch (cause) {
      closePorts(ports, present);
      throw failed(address, cause);
    }
  }
  return ports;
}

/** Closes the ports that are not among those `kept`. */
export function closePorts(ports: readonly SharedPort[], kept: readonly SharedPort[] = []): void {
  for (const port of ports) if (!kept.includes(port)) port.close();
}
