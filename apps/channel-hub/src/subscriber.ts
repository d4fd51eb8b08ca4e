import type { native, Position, ProtocolError } from '@groupcast/protocol';

/** A peer's own mark of its request; it comes back with the answer. */
export type RequestId = string | number | undefined;

/** Who follows subjects. */
export interface Subscriber {
  /** One publication, as a DELIVER frame; the same bytes go to every subscriber. */
  deliver(frame: Uint8Array): void;
  /** From here on publications of the subject are delivered: those after `position`. */
  subscribed(subject: native.Subject, position: Position, request: RequestId): void;
  /** This request failed. When the engine could not follow the subject, nobody is subscribed to it any more. */
  notSubscribed(subject: native.Subject, error: ProtocolError, request: RequestId): void;
}
