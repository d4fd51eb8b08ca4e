import { CLOSE_CODES, type CloseReason, ERROR_CODES, type ErrorCode } from '@groupcast/protocol';
import type { GapReason } from '@groupcast/protocol/schema';
import type { TokenErrorCode } from '../auth/token-error.ts';
import { type DurationCounts, Durations } from './durations.ts';
import type { RejectedAddress } from './rejected-addresses.ts';

/** Reasons to drop a publication from the hub. */
type DropReason =
  /** The payload is not UTF-8: every client would have to close. */
  | 'not_utf8'
  /** The payload is marked as JSON and is not. */
  | 'not_json'
  /** The offset is not above the last one. */
  | 'repeated'
  /** The group is not subscribed here, or its position is not yet known. */
  | 'not_followed';

/** Reasons to reject a handshake. */
export type HandshakeRejection =
  /** The connection limit is reached. */
  | 'full'
  | 'draining'
  /** The handshake rate limit is reached. */
  | 'rate'
  | 'origin'
  /** On the PROXY protocol port: not a trusted proxy, or no valid header. */
  | 'proxy'
  /** The TLS handshake failed or was late. */
  | 'tls'
  /** The request is invalid HTTP, too large or too late. */
  | 'http'
  /** The request is HTTP, but not a handshake of RFC 6455. */
  | 'handshake'
  /** The token in `Authorization` was rejected, or the user or address is banned. */
  | 'token';

/** End of a connection: a reason of the table, a close frame of the client, or no close frame. */
type ConnectionEnd = CloseReason | 'by_client' | 'lost';

/** Counters and gauges of one worker. */
export interface GatewayStats {
  /** Open connections. */
  readonly connections: number;
  /** Groups subscribed at the hub, including those that lost their members a moment ago. */
  readonly groups: number;
  /** Bans and revocations that are known; 0 without tokens. */
  readonly bans: number;
  /** Users whose channel is subscribed at the hub, as groups are. */
  readonly users: number;
  /** Bytes pending for clients. */
  readonly bufferedBytes: number;
  /** Joins in recovery. */
  readonly recovering: number;
  /** Connections whose client has a token that was accepted. */
  readonly authenticated: number;
  /** Connections since the start. */
  readonly accepted: number;
  /** Messages from clients. */
  readonly received: number;
  /** Messages passed to the hub client, which may still reject them. */
  readonly published: number;
  /** Publications from the hub. */
  readonly publications: number;
  /** Publications written to members, once for each member. */
  readonly delivered: number;
  /** Writes of publications to members; those of one event-loop turn share one. */
  readonly deliveryWrites: number;
  /** Bytes of WebSocket frames, without close frames, pings and pongs. */
  readonly bytesOut: number;
  readonly joins: number;
  readonly leaves: number;
  /** Joins with a position, by their outcome. */
  readonly recoveries: Readonly<Record<'recovered' | GapReason, number>>;
  /** Times that a recovery waited because its connection had reached the recovery rate limit. */
  readonly recoveriesThrottled: number;
  /** Publications written to members in a recovery; they count as delivered, too. */
  readonly recoveredMessages: number;
  /** Ephemeral publications that members with full buffers did not get. */
  readonly ephemeralDropped: number;
  /** Gaps that were reported to members. */
  readonly gaps: number;
  readonly dropped: Readonly<Record<DropReason, number>>;
  /** Commands with an error as their reply. */
  readonly rejected: Readonly<Record<ErrorCode, number>>;
  readonly closed: Readonly<Record<ConnectionEnd, number>>;
  /** Tokens that were rejected, of handshakes, `auth` and `refresh`. */
  readonly tokensRejected: Readonly<Record<TokenErrorCode, number>>;
  readonly handshakesRejected: Readonly<Record<HandshakeRejection, number>>;
  /** Addresses of clients with the most rejected handshakes. */
  readonly rejectedAddresses: readonly RejectedAddress[];
  /** Time from a publish with an id to the hub's answer. */
  readonly publishDurations: DurationCounts;
  /** Time from the receipt of publications until they are written to all members of this worker. */
  readonly deliveryDurations: DurationCounts;
}

type Counted<T> = { -readonly [K in keyof T]: T[K] extends number ? number : Record<keyof T[K], number> };

/** Counters that grow with events. Every key exists from the start, so no client can add one. */
export interface Counters extends Counted<Omit<GatewayStats, Gauge | DurationField>> {
  readonly publishDurations: Durations;
  readonly deliveryDurations: Durations;
}

/** Fields that are no counters. */
export type Gauge =
  | 'connections'
  | 'authenticated'
  | 'bans'
  | 'groups'
  | 'users'
  | 'bufferedBytes'
  | 'recovering'
  | 'rejectedAddresses';
type DurationField = 'publishDurations' | 'deliveryDurations';

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
    ephemeralDropped: 0,
    gaps: 0,
    dropped: { not_utf8: 0, not_json: 0, repeated: 0, not_followed: 0 },
    rejected: zeros(Object.keys(ERROR_CODES) as ErrorCode[]),
    closed: { ...zeros(Object.keys(CLOSE_CODES) as CloseReason[]), by_client: 0, lost: 0 },
    tokensRejected: { invalid: 0, expired: 0, unavailable: 0 },
    handshakesRejected: {
      full: 0,
      draining: 0,
      rate: 0,
      origin: 0,
      proxy: 0,
      tls: 0,
      http: 0,
      handshake: 0,
      token: 0,
    },
    publishDurations: new Durations(),
    deliveryDurations: new Durations(),
  };
}

function zeros<K extends string>(keys: readonly K[]): Record<K, number> {
  return Object.fromEntries(keys.map((key) => [key, 0])) as Record<K, number>;
}
