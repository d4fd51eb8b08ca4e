import { readFileSync } from 'node:fs';

function read(name: string): string {
  return readFileSync(new URL(`../../certificates/${name}`, import.meta.url), 'utf8');
}

/** Folder of the certificates, for flags that name files. */
export function certificateFile(
  name: 'ca.pem' | 'hub.pem' | 'hub.key.pem' | 'peer.pem' | 'peer.key.pem',
): string {
  return new URL(`../../certificates/${name}`, import.meta.url).pathname;
}

/** An authority, and what it has signed for a hub on this machine and for its peers. PEM texts. */
export const CERTIFICATES: {
  readonly ca: string;
  readonly hub: { readonly cert: string; readonly key: string };
  readonly peer: { readonly cert: string; readonly key: string };
} = {
  ca: read('ca.pem'),
  hub: { cert: read('hub.pem'), key: read('hub.key.pem') },
  peer: { cert: read('peer.pem'), key: read('peer.key.pem') },
};
