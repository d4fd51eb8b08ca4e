import type { native, Position, ProtocolError } from '@groupcast/protocol';

/** A peer's own mark of its request; it comes back with the answer. */
export type RequestId = string | number | undefined;

/** Who follows subjects. */
export interface Subscriber {
  /** One publication, as a DELIVER frame; the same bytes go to every subscriber. */
  deliver(frame: Uint8Array): void;
  /** Whether it takes DELIVERs that lie side by side as one slice; if not, they come one by one. */
  readonly takesRuns: boolean;
  /** So many publications as DELIVER frames that lie side by side. Only for one that takes runs. */
  deliverRun(frames: Uint8Array, count: number): void;
  /** From here on publications of the subject are delivered: those after `position`. */
  subscribed(subject: native.Subject, position: Position, request: RequestId): void;
  /** This request failed. When the engine could not follow the subject, nobody is subscribed to it any more. */
  notSubscribed(subject: native.Subject, error: ProtocolError, request: RequestId): void;
}
