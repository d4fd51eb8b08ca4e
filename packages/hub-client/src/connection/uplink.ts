import type { ProtocolError } from '@groupcast/protocol';
import type { HubConnection } from './hub-connection.ts';

/** The way to the hub, as the parts of a client see it. */
export interface Uplink {
  /** Whether new requests may be sent: a link stands, and neither side is about to end it. */
  readonly isOpen: boolean;
  /** Bytes that wait for the hub to take them. */
  readonly bufferedBytes: number;
  /** Why the last connection ended: the cause of what fails until the next one is open. */
  readonly lastError: ProtocolError | undefined;
  /** A number that no other request of this client has, from 1. */
  nextRequest(): number;
  send(frame: Uint8Array): void;
}

/** The way to the hub over one connection after another. */
export class HubUplink implements Uplink {
  connection: HubConnection | undefined;
  lastError: ProtocolError | undefined;
  #lastRequest = 0;

  get isOpen(): boolean {
    return this.connection?.isOpen === true;
  }

  get bufferedBytes(): number {
    return this.connection?.bufferedBytes ?? 0;
  }

  nextRequest(): number {
    this.#lastRequest += 1;
    return this.#lastRequest;
  }

  send(frame: Uint8Array): void {
    this.connection?.send(frame);
  }
}
