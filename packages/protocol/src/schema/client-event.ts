import { z } from 'zod';
import { commandId } from './command-id.ts';

const offset = z.int().nonnegative();

/** Why what a client missed cannot be given: the history is another one, or too short, or more than is given at once. */
const unrecoveredReason = z.enum(['epoch_changed', 'trimmed', 'limit']);

/** What a gateway sends under the subprotocol `groupcast.v1`. Unknown fields and types are to be ignored. */
export const clientEvent = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('welcome'),
    client_id: z.string(),
    session: z.string(),
    heartbeat: z.object({ interval_ms: z.int(), timeout_ms: z.int() }),
    limits: z.object({
      message_bytes: z.int(),
      groups: z.int(),
      messages_per_second: z.int(),
      messages_burst: z.int(),
      bytes_per_second: z.int().optional(),
      bytes_burst: z.int().optional(),
    }),
  }),
  z.object({
    type: z.literal('message'),
    group_id: z.string(),
    offset,
    message: z.json(),
    from: z.object({ client_id: z.string() }).optional(),
  }),
  z.object({
    type: z.literal('ack'),
    id: commandId,
    group_id: z.string().optional(),
    epoch: z.string().optional(),
    offset: offset.optional(),
    recovered: z.boolean().optional(),
    reason: unrecoveredReason.optional(),
  }),
  z.object({
    type: z.literal('error'),
    id: commandId.optional(),
    group_id: z.string().optional(),
    code: z.string(),
    message: z.string(),
  }),
  z.object({
    type: z.literal('gap'),
    group_id: z.string(),
    reason: unrecoveredReason,
    epoch: z.string(),
    offset,
  }),
  z.object({ type: z.literal('ping') }),
  z.object({
    type: z.literal('disconnect'),
    code: z.int(),
    reason: z.string(),
    reconnect: z.boolean(),
    reconnect_after_ms: z.int().optional(),
  }),
]);

export type ClientEvent = z.infer<typeof clientEvent>;

export type UnrecoveredReason = z.infer<typeof unrecoveredReason>;

/** The subprotocol that asks for envelopes; without one the gateway speaks the origin's plain mode. */
export const CLIENT_SUBPROTOCOL_V1 = 'groupcast.v1';

/**
 * Beside `groupcast.v1`, a client that comes back offers this prefix and the session that its first `welcome` gave it, and
 * has the same client id again. It is never chosen by the server, and so never echoed.
 */
export const CLIENT_SESSION_PREFIX = 'groupcast.session.';
