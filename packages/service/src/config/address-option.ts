import { isIP, isIPv6 } from 'node:net';
import { listOption, type Option, textOption } from '@groupcast/options';
import { includesAddress } from './port-conflict.ts';

/** Addresses that one service listens on at most. */
const ADDRESSES_MAX = 16;

/** Longest host name, in characters. */
const NAME_LENGTH_MAX = 253;

const NAME_LABEL = /^[a-zA-Z0-9_][a-zA-Z0-9_-]{0,62}$/;

/** An address to listen on, or a name that has one. */
export function addressOption(row: { default: string; describe: string }): Option<string> {
  return textOption({ ...row, valueName: 'ADDRESS', check: addressFault });
}

/** The addresses to listen on, all with one port. */
export function addressesOption(row: {
  default: readonly string[];
  describe: string;
}): Option<readonly string[]> {
  return listOption({ ...row, valueName: 'ADDRESS', check: addressesFault });
}

function addressesFault(addresses: readonly string[]): string | undefined {
  if (addresses.length === 0) return 'at least one address';
  if (addresses.length > ADDRESSES_MAX) return `at most ${ADDRESSES_MAX} addresses`;
  for (const [index, address] of addresses.entries()) {
    const fault = addressFault(address);
    if (fault !== undefined) return fault;
    // The second one could not be opened.
    if (addresses.indexOf(address) !== index) return `addresses that differ: ${address} is given twice`;
    const other = addresses.find((one) => one !== address && includesAddress(address, one));
    if (other !== undefined) return `addresses that differ: ${address} includes ${other}`;
  }
  return undefined;
}

/** Returns what would be valid in place of an address or a host name, as the end of a sentence. */
export function addressFault(text: string): string | undefined {
  if (isIP(text) !== 0 || isHostName(text)) return undefined;
  if (/^\[.*\]$/.test(text) && isIPv6(text.slice(1, -1))) {
    return 'an address without brackets, such as :: or ::1';
  }
  const [host = '', port = '', ...rest] = text.split(':');
  if (/^\d{1,5}$/.test(port) && rest.length === 0 && (isIP(host) !== 0 || isHostName(host))) {
    return 'an address or a host name without a port';
  }
  return 'an address or a host name, such as 127.0.0.1';
}

/** Systems read a name with a last label of digits as an address: `0` as 0.0.0.0. */
function isHostName(text: string): boolean {
  const labels = text.split('.');
  return (
    text.length <= NAME_LENGTH_MAX &&
    labels.every((label) => NAME_LABEL.test(label)) &&
    !/^(\d+|0x[0-9a-f]*)$/i.test(labels.at(-1) ?? '')
  );
}
