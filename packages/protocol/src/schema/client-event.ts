import { z } from 'zod';
import type { ClientEvent, GapReason, JsonValue } from '../client/event.ts';
import { commandId } from './command-id.ts';

const offset = z.int().nonnegative();
const json: z.ZodType<JsonValue> = z.json();

const gapReason = z.enum(['epoch_changed', 'trimmed', 'limit']) satisfies z.ZodType<GapReason>;

/** Checks an event. Unknown fields are dropped. */
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
    message: json,
    from: z.object({ client_id: z.string() }).optional(),
  }),
  z.object({
    type: z.literal('ack'),
    id: commandId,
    group_id: z.string().optional(),
    epoch: z.string().optional(),
    offset: offset.optional(),
    recovered: z.boolean().optional(),
    reason: gapReason.optional(),
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
    reason: gapReason,
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
]) satisfies z.ZodType<ClientEvent>;
