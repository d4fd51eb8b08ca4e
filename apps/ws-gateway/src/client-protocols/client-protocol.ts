import type { native } from '@groupcast/protocol';
import type { ClientCommand, ClientEvent } from '@groupcast/protocol/schema';
import type { AckEvent } from './client-events.ts';

/**
 * A protocol that clients use: its handshake, commands, events and heartbeat. Code outside this
 * folder never asks which protocol a client has.
 */
export interface ClientProtocol {
  /** Name of the protocol in lists of connections. */
  readonly name: string;
  /** Subprotocol that a client offers in the handshake. Undefined for clients that offer none. */
  readonly subprotocol: string | undefined;
  /** Whether clients have sessions, with which they keep their client id over reconnects. */
  readonly hasSessions: boolean;
  /** Whether a client may begin with `resume`. */
  readonly resumes: boolean;
  /** Heartbeat as bytes to send. Undefined where a WebSocket ping is the heartbeat. */
  readonly ping: Uint8Array | undefined;
  /** Parses a text message of a client. Throws only CommandError. */
  parseCommand(text: string): ClientCommand;
  /** Encodes an event as bytes to send. Returns undefined where the protocol has no such event. */
  encodeEvent(event: ClientEvent): Uint8Array | undefined;
  /**
   * Encodes messages of one group, or of the user for `USER_GROUP`, in order, as bytes to send.
   * Payloads must pass `payloadFault`.
   */
  encodeMessages(groupName: string, publications: readonly native.Publication[]): Uint8Array;
  /** Encodes the reply to `history` with its messages. Payloads must pass `payloadFault`. */
  encodeHistory(ack: AckEvent, publications: readonly native.Publication[]): Uint8Array;
}
