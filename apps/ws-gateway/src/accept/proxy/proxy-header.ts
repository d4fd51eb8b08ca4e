/** The header with which a proxy begins a connection, or the part of it that has arrived. */
export type ProxyHeader =
  | {
      readonly kind: 'whole';
      /** Length of the header, in bytes. Those of the client follow. */
      readonly length: number;
      /**
       * Address of the client. Undefined if the proxy speaks for itself, as in a health check
       * (LOCAL), or does not know it (UNKNOWN).
       */
      readonly client: string | undefined;
    }
  | { readonly kind: 'incomplete' }
  /** `fault` is a sentence for the operator. */
  | { readonly kind: 'invalid'; readonly fault: string };

export const INCOMPLETE: ProxyHeader = { kind: 'incomplete' };

export function invalid(fault: string): ProxyHeader {
  return { kind: 'invalid', fault };
}
