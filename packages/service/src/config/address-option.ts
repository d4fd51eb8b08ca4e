import { isIP, isIPv6 } from 'node:net';
import { type Option, textOption } from '@groupcast/options';

/** Longest host name, in characters. */
const NAME_LENGTH_MAX = 253;

const NAME_LABEL = /^[a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?$/;

/** An address to listen on, or a name that has one. */
export function addressOption(row: { default: string; describe: string }): Option<string> {
  return textOption({ ...row, valueName: 'ADDRESS', check: addressFault });
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
