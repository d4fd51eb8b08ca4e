import type { IncomingMessage } from 'node:http';
import { CLIENT_TOKEN_PREFIX } from '@groupcast/protocol/schema';
import { chooseProtocol } from '../client-protocols/client-protocols.ts';

/** The token of a handshake, which is a secret and unchecked. */
export interface HandshakeToken {
  readonly token: string;
  /** Whether it is in `Authorization`: it must be accepted before the response. */
  readonly isRequired: boolean;
}

/** Sentence about a handshake that is rejected because of its tokens. */
export interface TokenFault {
  readonly fault: string;
}

/** Parts of a request that may have a token. */
export interface TokenPlaces {
  /** Values of all `Authorization` headers. */
  readonly authorizations: readonly string[];
  /** Values of all `Cookie` headers. */
  readonly cookies: readonly string[];
  /** Value of `Sec-WebSocket-Protocol`. */
  readonly subprotocols: string | undefined;
}

const SCHEME = /^bearer(?: |$)/i;
const SCHEME_LENGTH = 'bearer'.length;

const TWO_TOKENS = 'The handshake has two different tokens. Send one.';
const NEEDS_V1 =
  'The subprotocol groupcast.token needs groupcast.v1 beside it: browsers close a WebSocket none of whose subprotocols is selected.';

/** Returns the headers of a request in which a gateway reads tokens. */
export function tokenHeadersOf(authCookie: string): ReadonlySet<string> {
  return new Set(authCookie === '' ? ['authorization'] : ['authorization', 'cookie']);
}

/** Returns the token of a handshake, if it has one. `authCookie` is a cookie's name, or ''. */
export function handshakeTokenOf(
  { authorizations, cookies, subprotocols }: TokenPlaces,
  authCookie: string,
): HandshakeToken | TokenFault | undefined {
  const offered = subprotocols?.split(',').map((name) => name.trim()) ?? [];
  const bearer = authorizations.filter(isBearer).map((value) => value.slice(SCHEME_LENGTH).trim());
  const ofSubprotocol = offered
    .filter((name) => name.startsWith(CLIENT_TOKEN_PREFIX))
    .map((name) => name.slice(CLIENT_TOKEN_PREFIX.length));
  const tokens = new Set([...bearer, ...ofSubprotocol, ...cookieValues(cookies, authCookie)]);
  if (tokens.size > 1) return { fault: TWO_TOKENS };
  if (ofSubprotocol.length > 0 && chooseProtocol(offered).subprotocol === undefined)
    return { fault: NEEDS_V1 };
  const [token] = tokens;
  return token === undefined ? undefined : { token, isRequired: bearer.length > 0 };
}

/** Returns the parts of a request that may have a token. Node keeps only one `Authorization`. */
export function tokenPlacesOf({ rawHeaders, headers }: IncomingMessage): TokenPlaces {
  const valuesOf = (name: string): readonly string[] =>
    rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name);
  return {
    authorizations: valuesOf('authorization'),
    cookies: valuesOf('cookie'),
    subprotocols: headers['sec-websocket-protocol'],
  };
}

/** Other schemes are those of a proxy, which the gateway ignores. */
function isBearer(authorization: string): boolean {
  return SCHEME.test(authorization);
}

/** Returns the values of a cookie (RFC 6265, section 4.1.1), without quotes around them. */
function cookieValues(cookies: readonly string[], name: string): readonly string[] {
  if (name === '') return [];
  return cookies
    .flatMap((cookie) => cookie.split(';'))
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1))
    .map((value) =>
      value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value,
    )
    .filter((value) => value !== '');
}
