import type { TrustedAddresses } from '@groupcast/service';
import { clientAddressOf, setClientAddress } from '../../socket/client-address.ts';
import { canonicalAddress } from './ip-address.ts';

/** Entries that are read: a client may send any number of them. */
const ENTRIES_MAX = 32;

/** Longest entry, in characters: an IPv6 address in brackets with a port and white space. */
const ENTRY_CHARACTERS_MAX = 64;

// Some proxies add the port of the client.
const IPV4_AND_PORT = /^([\d.]+):\d{1,5}$/;
const IPV6_IN_BRACKETS = /^\[([\da-f:.]+)\](?::\d{1,5})?$/i;

const HEADER_LINE = /\r\nx-forwarded-for:([^\r\n]*)/gi;
const END = '\r\n\r\n';

/**
 * Returns the client that `X-Forwarded-For` names, in a request of a trusted proxy. Each proxy
 * appends the address that it was connected from. So the entries are read from the right, up to the
 * first that is no trusted proxy: the client may have written those left of it. Returns `undefined`
 * if the last entry is no address.
 */
export function forwardedClient(header: string, trusted: TrustedAddresses): string | undefined {
  let client: string | undefined;
  let rest = header;
  for (let entries = 0; entries < ENTRIES_MAX; entries++) {
    const comma = rest.lastIndexOf(',');
    const address = addressIn(rest.slice(comma + 1));
    if (address === undefined) return client;
    client = address;
    if (comma < 0 || !trusted.has(address)) return client;
    rest = rest.slice(0, comma);
  }
  return client;
}

/**
 * Records the client that `X-Forwarded-For` names, if the socket is a trusted proxy's. Anyone else
 * may have written any address.
 */
export function identifyClient(socket: object, forwardedFor: string, trusted: TrustedAddresses): void {
  if (!trusted.has(clientAddressOf(socket))) return;
  const client = forwardedClient(forwardedFor, trusted);
  if (client !== undefined) setClientAddress(socket, client);
}

/** Returns the values of `X-Forwarded-For` in a request; '' before its header is whole. */
export function forwardedForIn(request: string): string {
  const end = request.indexOf(END);
  if (end < 0) return '';
  return Array.from(request.slice(0, end).matchAll(HEADER_LINE), ([, value]) => value).join(',');
}

function addressIn(entry: string): string | undefined {
  if (entry.length > ENTRY_CHARACTERS_MAX) return undefined;
  const text = entry.trim();
  const [, bare = text] = IPV4_AND_PORT.exec(text) ?? IPV6_IN_BRACKETS.exec(text) ?? [];
  return canonicalAddress(bare);
}
