import type { IncomingMessage } from 'node:http';

/** Why a request must not be served, though Node's parser let it through. */
export interface RequestFault {
  readonly status: 400 | 431;
  readonly sentence: string;
}

// RFC 9112, section 3.2: a name, an IPv4 address or an IPv6 address in brackets, and a port where
// there is one.
const HOST = /^(?:\[[\dA-Fa-f:.]+\]|[\w.~!$&'()*+,;=%-]*)(?::\d*)?$/;

/** Whether this is what a `Host` header may hold. */
export function isHost(value: string): boolean {
  return HOST.test(value);
}

/**
 * Finds what RFC 9112, section 3.2, forbids and Node lets through, in upgrades at least: HTTP/1.1
 * without `Host`, more than one, or one that is no host. And header lines beyond `linesMax`, of
 * which Node would drop those that come last without a word: switch its own limit off with
 * `maxHeadersCount = 0`. `undefined` when there is nothing of the kind.
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
