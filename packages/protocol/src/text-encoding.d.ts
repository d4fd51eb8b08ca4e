/**
 * The only platform feature that the wire needs (https://encoding.spec.whatwg.org). Browsers and
 * Node have it.
 */
declare class TextEncoder {
  encodeInto(text: string, target: Uint8Array): { read: number; written: number };
  encode(text: string): Uint8Array;
}

declare class TextDecoder {
  constructor(label: 'utf-8', options: { fatal: boolean; ignoreBOM: boolean });
  decode(bytes: Uint8Array): string;
}
