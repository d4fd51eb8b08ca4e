import type { ClientEvents } from '../client-events.ts';
import type { Emitter } from '../emitter.ts';
import type { Answer, GroupCommandBody } from '../sending/requests.ts';

/**
 * The part of the client that a membership uses. Without it, exchange and membership form a circle.
 */
export interface MembershipPort<Membership> {
  /** Messages that an iteration buffers. */
  readonly bufferMax: number;
  readonly clientEvents: Emitter<ClientEvents>;
  /** Throws the reason when the client is closed. */
  assertOpen(): void;
  /** Sends a command now. */
  request(command: GroupCommandBody, answered: Answer): void;
  /** Reconsiders a membership whose state or use has changed. */
  changed(membership: Membership): void;
}
