import type { native, Position, ProtocolError } from '@groupcast/protocol';

/** A peer's own mark of its request, which the answer repeats. */
export type RequestId = string | number | undefined;

/** A receiver of publications. */
export interface Subscriber {
  /** Delivers one DELIVER frame; all subscribers get the same bytes. */
  deliver(frame: Uint8Array): void;
  /**
   * Delivers one ephemeral DELIVER frame, or drops it. Returns whether it was delivered.
   */
  deliverEphemeral(frame: Uint8Array): boolean;
  /** Whether DELIVER frames side by side may be delivered as one slice. */
  readonly acceptsRuns: boolean;
  /** Delivers `count` DELIVER frames side by side. Only for a subscriber that accepts runs. */
  deliverRun(frames: Uint8Array, count: number): void;
  /**
   * Publications of the subject behind `position` are delivered from now on. `subject` is the
   * object of the request.
   */
  subscribed(subject: native.Subject, position: Position, request: RequestId): void;
  /** This request failed. If the engine rejected the subject, all its subscriptions have ended. */
  subscribeRejected(subject: native.Subject, error: ProtocolError, request: RequestId): void;
}
