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
    const fault = networksFault(networks);
    if (fault !== undefined) throw new RangeError(`[${networks.join(', ')}] must be ${fault}.`);
    for (const network of networks) {
      const parsed = parseNetwork(network);
      if (parsed !== undefined) this.#networks.addSubnet(parsed.address, parsed.bits, parsed.family);
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

/**
 * Returns what would be valid in place of these addresses and networks, as the end of a sentence;
 * `undefined` if `TrustedAddresses` accepts them.
 */
export function networksFault(networks: readonly string[]): string | undefined {
  const parsed = networks.map(parseNetwork);
  if (parsed.includes(undefined)) return 'addresses or networks, each such as 10.1.2.3 or 10.1.0.0/16';
  if (parsed.some((network) => network !== undefined && hasHostBits(network))) {
    return 'addresses or networks whose host bits are 0, such as 10.1.0.0/16';
  }
  return undefined;
}

/** Returns whether a network has every address of its family. */
export function isEveryAddress(network: string): boolean {
  return parseNetwork(network)?.bits === 0;
}

interface Network {
  readonly address: string;
  readonly bits: number;
  readonly family: 'ipv4' | 'ipv6';
}

function parseNetwork(text: string): Network | undefined {
  const [address = '', length, ...rest] = text.split('/');
  const family = isIP(address);
  const bitsMax = family === 6 ? BITS[6] : BITS[4];
  const bits = length === undefined ? bitsMax : /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN;
  // A zone belongs to one machine: no peer has it.
  if (family === 0 || address.includes('%') || rest.length > 0 || !(bits <= bitsMax)) return undefined;
  return { address, bits, family: family === 4 ? 'ipv4' : 'ipv6' };
}

/** Most likely a mistake: 10.1.2.3/16 was meant to be one of 10.1.0.0/16 and 10.1.2.3. */
function hasHostBits({ address, bits, family }: Network): boolean {
  return bitsOf(address, family).slice(bits).includes('1');
}

/** Returns an address as a text of zeros and ones. */
function bitsOf(address: string, family: Network['family']): string {
  if (family === 'ipv4')
    return address
      .split('.')
      .map((byte) => digits(byte, 10, 8))
      .join('');
  // The URL has it in hexadecimal groups, with the longest run of zeros left out.
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [before = [], after = []] = canonical
    .split('::')
    .map((half) => half.split(':').filter((group) => group !== ''));
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].map((group) => digits(group, 16, 16)).join('');
}

function digits(text: string, radix: number, width: number): string {
  return Number.parseInt(text, radix).toString(2).padStart(width, '0');
}
