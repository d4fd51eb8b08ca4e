/**
 * The origins of a list as browsers write them: `https://Example.com:443/` is `https://example.com`. Throws a TypeError
 * that names the entry which is no origin.
 */
export function originsOf(list: readonly string[]): ReadonlySet<string> {
  return new Set(
    list.map((text) => {
      const origin = originOf(text);
      if (origin !== undefined) return origin;
      throw new TypeError(
        `'${text}' is not an origin. Write scheme, host and port, such as https://example.com:8443.`,
      );
    }),
  );
}

/** One origin as browsers write it; `undefined` when the text is none. */
export function originOf(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // Schemes without hosts have the origin 'null', which must never be on the list: sandboxed pages of anyone send it.
  const bare = url !== undefined && url.pathname.length <= 1 && url.search === '' && url.hash === '';
  if (url === undefined || url.origin === 'null' || !bare || url.username !== '') return undefined;
  return url.origin;
}

/**
 * Whether a handshake with this `Origin` header may go on. An empty list allows all, also those that send none; otherwise
 * only an exact match of scheme, host and port will do.
 */
export function originVerdict(origin: string | undefined, allowed: ReadonlySet<string>): 'ok' | 'forbidden' {
  if (allowed.size === 0) return 'ok';
  return origin !== undefined && allowed.has(origin) ? 'ok' : 'forbidden';
}
