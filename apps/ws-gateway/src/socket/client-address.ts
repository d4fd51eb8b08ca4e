/** Key of the address that a proxy named for the client of a socket. */
const ADDRESS = Symbol('client address');

interface AddressedSocket {
  readonly remoteAddress?: string | undefined;
  [ADDRESS]?: string;
}

/** Records the address of the client behind a trusted proxy. */
export function setClientAddress(socket: object, address: string): void {
  (socket as AddressedSocket)[ADDRESS] = address;
}

/** Returns the address that a proxy named, or that of the peer; '' for a closed socket. */
export function clientAddressOf(socket: object): string {
  const { [ADDRESS]: named, remoteAddress = '' }: AddressedSocket = socket;
  return named ?? remoteAddress;
}
