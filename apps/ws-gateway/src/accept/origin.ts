import { OptionError } from '@groupcast/protocol';

/** The origins that may connect. None at all means any. */
export interface AllowedOrigins {
  readonly exact: ReadonlySet<string>;
  /** With `*` for the first label of the host: `https://*.example.com`. */
  readonly wildcards: ReadonlySet<string>;
}

/** What an entry of the list may be, for messages about one that is something else. */
export const ORIGIN_FORMS =
  'https://example.com:8443 (scheme, host and port), https://*.example.com (one label in place of the *), ' +
  'or that of an app or extension, such as capacitor://localhost or chrome-extension://<id>';

/** Origins without a host of their own: pages of anyone have them. */
const SCHEMES_OF_ANYONE: ReadonlySet<string> = new Set(['file:', 'data:', 'blob:', 'about:', 'javascript:']);
/** `URL` takes them for origins, and no page has them. */
const SCHEMES_OF_NO_PAGE: ReadonlySet<string> = new Set(['ws:', 'wss:', 'ftp:']);

const WILDCARD = /^(https?:\/\/)\*(\.[^.*]+\.[^*]+)$/i;
const FIRST_LABEL = /^(https?:\/\/)[a-z\d_-]+(\..+)$/;

/**
 * Reads the origins of a list as browsers write them: `https://Example.com:443/` is `https://example.com`. Throws OptionError
 * `bad_option` that names the entry which is no origin.
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

/** One entry of the list as browsers write it; `undefined` when the text is none. */
export function originOf(text: string): string | undefined {
  const [, scheme, rest] = WILDCARD.exec(text) ?? [];
  if (scheme === undefined || rest === undefined) return text.includes('*') ? undefined : exactOf(text);
  const anyLabel = exactOf(`${scheme}any${rest}`);
  return anyLabel?.replace('//any.', '//*.');
}

/**
 * Whether a handshake with this `Origin` header may go on. Without a list all may, also those that send none; otherwise scheme, host and
 * port must be those of an entry, and exactly one label stands for a `*`.
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
  // To `URL`, schemes other than those of the web have the origin 'null'. Browsers write those of apps in full.
  return `${url.protocol}//${url.host}`;
}

/** The entry with a `*` that would allow an origin; `undefined` when there can be none. */
function wildcardOf(origin: string): string | undefined {
  const [, scheme, rest] = FIRST_LABEL.exec(origin) ?? [];
  return rest === undefined ? undefined : `${scheme}*${rest}`;
}
