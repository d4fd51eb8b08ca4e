import { z } from 'zod';
import { commandId } from './client-command.ts';

const offset = z.int().nonnegative();

/** What a gateway sends under the subprotocol `groupcast.v1`. Unknown fields and types are to be ignored. */
export const clientEvent = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('welcome'),
    client_id: z.string(),
    heartbeat: z.object({ interval_ms: z.int(), timeout_ms: z.int() }),
    limits: z.object({
      message_bytes: z.int(),
      groups: z.int(),
      messages_per_second: z.int(),
      messages_burst: z.int(),
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
  }),
  z.object({ type: z.literal('error'), id: commandId.optional(), code: z.string(), message: z.string() }),
  z.object({
    type: z.literal('gap'),
    group_id: z.string(),
    reason: z.enum(['epoch_changed', 'trimmed']),
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

/** The subprotocol that asks for envelopes; without one the gateway speaks the origin's plain mode. */
export const CLIENT_SUBPROTOCOL_V1 = 'groupcast.v1';
