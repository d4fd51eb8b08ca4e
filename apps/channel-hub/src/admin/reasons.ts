import type { ErrorCode } from '@groupcast/protocol';
import type { PeerEnd } from '../peer/peer-end.ts';

// A counter that appears with its first count has no increase for an alert to see. Those of all
// reasons that a hub can have are therefore there from the start, as 0.

/** Codes of gateways only. */
type GatewayCode = 'group_limit' | 'invalid_group' | 'outcome_unknown';

/** Codes of requests that are rejected while their peer stays. */
type RejectionCode = 'channel_limit' | 'queue_full' | 'queue_limit' | 'rate_limited' | 'hub_unavailable';

type KeptCode = RejectionCode | 'forbidden' | 'unsupported' | 'keys_full';

/** Rejections of a hub that had none. */
export const NO_REJECTIONS = {
  bad_json: 0,
  bad_field: 0,
  unknown_command: 0,
  rate_limited: 0,
  hub_unavailable: 0,
  internal_error: 0,
  bad_length: 0,
  bad_frame: 0,
  bad_channel: 0,
  unsupported_version: 0,
  unauthorized: 0,
  channel_limit: 0,
  bad_queue: 0,
  queue_full: 0,
  queue_limit: 0,
  forbidden: 0,
  unsupported: 0,
  keys_full: 0,
  unknown_dialect: 0,
} as const satisfies Record<Exclude<ErrorCode, GatewayCode>, 0>;

/** Ended peers of a hub that had none. */
export const NO_ENDS = {
  closed: 0,
  peer_closed: 0,
  socket_error: 0,
  protocol_error: 0,
  slow: 0,
  silent: 0,
  stalled: 0,
  internal_error: 0,
  late: 0,
  too_many_pending: 0,
  untrusted: 0,
  evicted: 0,
  tls_rejected: 0,
  drained: 0,
  hub_closed: 0,
  bad_json: 0,
  bad_field: 0,
  unknown_command: 0,
  bad_length: 0,
  bad_frame: 0,
  bad_channel: 0,
  bad_queue: 0,
  unsupported_version: 0,
  unauthorized: 0,
  unknown_dialect: 0,
} as const satisfies Record<Exclude<PeerEnd, GatewayCode | KeptCode>, 0>;
