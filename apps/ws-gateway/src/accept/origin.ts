import { OptionError } from '@groupcast/protocol';

/** Origins that may connect. An empty list allows all. */
export interface AllowedOrigins {
  readonly exact: ReadonlySet<string>;
  /** Origins with `*` as the first label of the host: `https://*.example.com`. */
  readonly wildcards: ReadonlySet<string>;
}

/** Valid forms of an entry, for error messages. */
export const ORIGIN_FORMS =
  'https://example.com:8443 (scheme, host and port), https://*.example.com (one label in place of the *), ' +
  'or that of an app or extension, such as capacitor://localhost or chrome-extension://<id>';

/** Schemes of origins without a host: any page may have them. */
const SCHEMES_OF_ANYONE: ReadonlySet<string> = new Set(['file:', 'data:', 'blob:', 'about:', 'javascript:']);
/** Schemes that `URL` accepts as origins, though no page has them. */
const SCHEMES_OF_NO_PAGE: ReadonlySet<string> = new Set(['ws:', 'wss:', 'ftp:']);

const WILDCARD = /^(https?:\/\/)\*(\.[^.*]+\.[^*]+)$/i;
const FIRST_LABEL = /^(https?:\/\/)[a-z\d_-]+(\..+)$/;

/**
 * Reads a list of origins as browsers write them: `https://Example.com:443/` is
 * `https://example.com`. Throws OptionError `bad_option` with the first invalid entry.
 */
export function originsOf(list: readonly string[]): AllowedOrigins {
  const origins = list.map((text) => {
    const origin = typeof text === 'string' ? originOf(text) : undefined;
    if (origin !== undefined) return origin;
    const problem = `has '${text}', which is not an origin that can be allowed. Write ${ORIGIN_FORMS}`;
    throw new OptionError('createGateway', 'allowedOrigins', problem);
  });
  return {
    exact: new Set(origins.filter((origin) => !origin.includes('*'))),
    wildcards: new Set(origins.filter((origin) => origin.includes('*'))),
  };
}

/** Returns one entry as browsers write it; `undefined` when it is invalid. */
export function originOf(text: string): string | undefined {
  const [, scheme, rest] = WILDCARD.exec(text) ?? [];
  if (scheme === undefined || rest === undefined) return text.includes('*') ? undefined : exactOf(text);
  const anyLabel = exactOf(`${scheme}any${rest}`);
  return anyLabel?.replace('//any.', '//*.');
}

/**
 * Decides on a handshake by its `Origin` header. Without a list all are allowed, also those without
 * the header. Otherwise scheme, host and port must match an entry; `*` matches exactly one label.
 */
export function originVerdict(origin: string | undefined, allowed: AllowedOrigins): 'ok' | 'forbidden' {
  const { exact, wildcards } = allowed;
  if (exact.size === 0 && wildcards.size === 0) return 'ok';
  if (origin === undefined) return 'forbidden';
  if (exact.has(origin)) return 'ok';
  const wildcard = wildcards.size === 0 ? undefined : wildcardOf(origin);
  return wildcard !== undefined && wildcards.has(wildcard) ? 'ok' : 'forbidden';
}

function exactOf(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isBare = url !== undefined && url.pathname.length <= 1 && url.search === '' && url.hash === '';
  if (url === undefined || !isBare || url.username !== '' || url.password !== '' || url.host === '')
    return undefined;
  if (SCHEMES_OF_ANYONE.has(url.protocol) || SCHEMES_OF_NO_PAGE.has(url.protocol)) return undefined;
  // `URL` gives schemes of apps the origin 'null'. Browsers write them in full.
  return `${url.protocol}//${url.host}`;
}

/** Returns the wildcard entry that would allow an origin, or `undefined`. */
function wildcardOf(origin: string): string | undefined {
  const [, scheme, rest] = FIRST_LABEL.exec(origin) ?? [];
  return rest === undefined ? undefined : `${scheme}*${rest}`;
}
