import { BlockList, isIP } from 'node:net';
import { isLoopbackAddress } from '@groupcast/service';

const BITS = { 4: 32, 6: 128 } as const;
const MAPPED = '::ffff:';

/** Addresses whose peers are trusted: what an operator names, and loopback unless the operator does not trust it. */
export class TrustedAddresses {
  readonly #networks = new BlockList();

  readonly #trustsLoopback: boolean;

  /** `networks`: addresses, or networks as `10.1.0.0/16`. Throws RangeError for what is neither. */
  constructor(networks: readonly string[], trustsLoopback = true) {
    this.#trustsLoopback = trustsLoopback;
    for (const network of networks) {
      const { address, bits, family } = parseNetwork(network);
      this.#networks.addSubnet(address, bits, family);
    }
  }

  /** An address that is not known is not trusted. */
  has(address: string | undefined): boolean {
    if (address === undefined) return false;
    if (this.#trustsLoopback && isLoopbackAddress(address)) return true;
    // IPv6 sockets show IPv4 peers so.
    const plain = address.startsWith(MAPPED) ? address.slice(MAPPED.length) : address;
    const family = isIP(plain);
    return family !== 0 && this.#networks.check(plain, family === 4 ? 'ipv4' : 'ipv6');
  }
}

/** Whether `TrustedAddresses` takes it. */
export function isNetwork(text: string): boolean {
  try {
    parseNetwork(text);
    return true;
  } catch {
    // It is what was asked.
    return false;
  }
}

function parseNetwork(text: string): { address: string; bits: number; family: 'ipv4' | 'ipv6' } {
  const [address = '', length, ...rest] = text.split('/');
  const family = isIP(address);
  const bitsMax = family === 6 ? BITS[6] : BITS[4];
  const bits = length === undefined ? bitsMax : /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN;
  if (family === 0 || rest.length > 0 || !(bits <= bitsMax)) {
    throw new RangeError(`"${text}" is no address and no network such as 10.1.0.0/16.`);
  }
  return { address, bits, family: family === 4 ? 'ipv4' : 'ipv6' };
}
