import { CLOSE_CODES, type CloseReason, ERROR_CODES, type ErrorCode } from '@groupcast/protocol';
import type { GapReason } from '@groupcast/protocol/schema';

/** Why a publication from the hub was not handed to members. */
type DropReason =
  /** Its payload is not UTF-8, and every client that got it would have to close. */
  | 'not_utf8'
  /** It says that it is JSON, and is not. */
  | 'not_json'
  /** Its offset is not above that of the last one. */
  | 'repeated'
  /** Nobody here follows its group any more, or the hub has not said yet where the group stands. */
  | 'not_followed';

/** Why there was no upgrade. */
export type HandshakeRejection =
  /** As many connections as are taken at once. */
  | 'full'
  | 'draining'
  /** More handshakes each second than are taken. */
  | 'rate'
  | 'origin'
  /** HTTP that is none, is too large or took too long. */
  | 'http'
  /** HTTP, but no handshake of RFC 6455. */
  | 'handshake';

/**
 * How a connection ended: by this side for a reason of the table, by a close frame of the client,
 * or without one.
 */
type ConnectionEnd = CloseReason | 'by_client' | 'lost';

/** What one worker did and holds. */
export interface GatewayStats {
  /** Now. */
  readonly connections: number;
  /** Now: groups that are followed at the hub. Those without members go after a short time. */
  readonly groups: number;
  /** Now: bytes that wait for clients to read. */
  readonly queuedBytes: number;
  /** Now: joins that are being given what they missed. */
  readonly recovering: number;
  /** Connections since the start. */
  readonly accepted: number;
  /** Messages from clients. */
  readonly received: number;
  /** Messages handed to the hub client, which may still refuse them. */
  readonly published: number;
  /** Publications that came from the hub. */
  readonly publications: number;
  /** Publications written to members, counted once for each member. */
  readonly delivered: number;
  /** Writes to members that carried publications; several that come in one turn share one. */
  readonly deliveryWrites: number;
  /** Bytes of WebSocket frames that the gateway made, close frames, pings and pongs not counted. */
  readonly bytesOut: number;
  readonly joins: number;
  readonly leaves: number;
  /** Joins with a position, by what became of them. */
  readonly recoveries: Readonly<Record<'recovered' | GapReason, number>>;
  /**
   * Times that a recovery waited because those of its connection had brought as much as they may
   * for now.
   */
  readonly recoveriesThrottled: number;
  /** Publications written to members that had missed them; they count as delivered, too. */
  readonly recoveredMessages: number;
  /** Times that a member was told that messages are lost to it. */
  readonly gaps: number;
  readonly dropped: Readonly<Record<DropReason, number>>;
  /** Commands that were answered with an error. */
  readonly refused: Readonly<Record<ErrorCode, number>>;
  readonly closed: Readonly<Record<ConnectionEnd, number>>;
  readonly handshakesRefused: Readonly<Record<HandshakeRejection, number>>;
}

type Counted<T> = { -readonly [K in keyof T]: T[K] extends number ? number : Record<keyof T[K], number> };

/**
 * What is counted as it happens; every key is there from the start, so that no client can add one.
 */
export type Counters = Counted<Omit<GatewayStats, 'connections' | 'groups' | 'queuedBytes' | 'recovering'>>;

export function createCounters(): Counters {
  return {
    accepted: 0,
    received: 0,
    published: 0,
    publications: 0,
    delivered: 0,
    deliveryWrites: 0,
    bytesOut: 0,
    joins: 0,
    leaves: 0,
    recoveries: { recovered: 0, epoch_changed: 0, trimmed: 0, limit: 0 },
    recoveriesThrottled: 0,
    recoveredMessages: 0,
    gaps: 0,
    dropped: { not_utf8: 0, not_json: 0, repeated: 0, not_followed: 0 },
    refused: zeros(Object.keys(ERROR_CODES) as ErrorCode[]),
    closed: { ...zeros(Object.keys(CLOSE_CODES) as CloseReason[]), by_client: 0, lost: 0 },
    handshakesRefused: { full: 0, draining: 0, rate: 0, origin: 0, http: 0, handshake: 0 },
  };
}

function zeros<K extends string>(keys: readonly K[]): Record<K, number> {
  return Object.fromEntries(keys.map((key) => [key, 0])) as Record<K, number>;
}
