import { BlockList, isIP } from 'node:net';
import { isLoopbackAddress } from './loopback.ts';

const BITS = { 4: 32, 6: 128 } as const;
const MAPPED = '::ffff:';

/** Trusted addresses: those that the operator names, and loopback by default. */
export class TrustedAddresses {
  readonly #networks = new BlockList();
  readonly #trustsLoopback: boolean;

  /**
   * `networks`: addresses, or networks such as `10.1.0.0/16`. Throws RangeError for invalid ones.
   */
  constructor(networks: readonly string[], trustsLoopback = true) {
    this.#trustsLoopback = trustsLoopback;
    for (const network of networks) {
      const { address, bits, family } = parseNetwork(network);
      this.#networks.addSubnet(address, bits, family);
    }
  }

  /** Returns whether an address is trusted; an unknown one is not. */
  has(address: string | undefined): boolean {
    if (address === undefined) return false;
    if (this.#trustsLoopback && isLoopbackAddress(address)) return true;
    // The form of an IPv4 peer on an IPv6 socket.
    const plain = address.startsWith(MAPPED) ? address.slice(MAPPED.length) : address;
    const family = isIP(plain);
    return family !== 0 && this.#networks.check(plain, family === 4 ? 'ipv4' : 'ipv6');
  }
}

/** Returns whether `TrustedAddresses` accepts an address or network. */
export function isNetwork(text: string): boolean {
  try {
    parseNetwork(text);
    return true;
  } catch {
    // Only the validity was asked for.
    return false;
  }
}

function parseNetwork(text: string): { address: string; bits: number; family: 'ipv4' | 'ipv6' } {
  const [address = '', length, ...rest] = text.split('/');
  const family = isIP(address);
  const bitsMax = family === 6 ? BITS[6] : BITS[4];
  const bits = length === undefined ? bitsMax : /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN;
  if (family === 0 || rest.length > 0 || !(bits <= bitsMax)) {
    throw new RangeError(`"${text}" is neither an address nor a network such as 10.1.0.0/16.`);
  }
  return { address, bits, family: family === 4 ? 'ipv4' : 'ipv6' };
}
