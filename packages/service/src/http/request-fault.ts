import type { IncomingMessage } from 'node:http';

/** Reason to reject a request that Node's parser accepts. */
export interface RequestFault {
  readonly status: 400 | 431;
  readonly sentence: string;
}

// RFC 9112, section 3.2: a name, an IPv4 address or an IPv6 address in brackets, and a port where
// there is one.
const HOST = /^(?:\[[\dA-Fa-f:.]+\]|[\w.~!$&'()*+,;=%-]*)(?::\d*)?$/;

/** Returns whether a value is valid in a `Host` header. */
export function isHost(value: string): boolean {
  return HOST.test(value);
}

/**
 * Returns the fault of a request that RFC 9112, section 3.2, forbids and Node accepts, at least in
 * upgrades: HTTP/1.1 without `Host`, more than one, or an invalid one. Header lines beyond
 * `linesMax` are a fault as well. Node would drop the last ones silently: switch its own limit off
 * with `maxHeadersCount = 0`.
 */
export function requestFault(request: IncomingMessage, linesMax: number): RequestFault | undefined {
  const { rawHeaders } = request;
  const lines = rawHeaders.length / 2;
  if (lines > linesMax) {
    return {
      status: 431,
      sentence: `The request has ${lines} header lines. At most ${linesMax} are allowed.`,
    };
  }
  const hosts = rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === 'host');
  const [host] = hosts;
  if (host === undefined) {
    return request.httpVersion === '1.1' ? bad('HTTP/1.1 needs a Host header.') : undefined;
  }
  if (hosts.length > 1) return bad('The request has more than one Host header.');
  return isHost(host) ? undefined : bad('The Host header is not a host, with or without a port.');
}

function bad(sentence: string): RequestFault {
  return { status: 400, sentence };
}
