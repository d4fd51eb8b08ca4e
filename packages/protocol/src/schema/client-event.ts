import { z } from 'zod';
import type { Operation } from '../client/command.ts';
import type { ClientEvent, GapReason, HistoryVerdict, JsonValue } from '../client/event.ts';
import { commandId } from './command-id.ts';

const offset = z.int().nonnegative();
const json: z.ZodType<JsonValue> = z.json();

const gapReason = z.enum(['epoch_changed', 'trimmed', 'limit']) satisfies z.ZodType<GapReason>;
const operation = z.enum([
  'join',
  'history',
  'publish',
  'presence',
  'info',
  'manage',
]) satisfies z.ZodType<Operation>;
const verdict = z.enum(['recovered', 'epoch_changed', 'trimmed']) satisfies z.ZodType<HistoryVerdict>;
const message = {
  message: json,
  from: z.object({ client_id: z.string(), uid: z.string().optional() }).optional(),
  at: z.int().nonnegative().optional(),
};

const position = { epoch: z.string(), offset };

const gap = { reason: gapReason, ...position };

const joined = { ...position, recovered: z.boolean().optional(), reason: gapReason.optional() };

/** Events of groups, with the channel of the user in place of a group. */
const userEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('message'), user: z.literal(true), offset: offset.optional(), ...message }),
  z.object({ type: z.literal('gap'), user: z.literal(true), ...gap }),
  z.object({ type: z.literal('joined'), user: z.literal(true), ...joined }),
]);

const otherEvent = z.discriminatedUnion('type', [
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
    uid: z.string().optional(),
    token_expires_in_ms: z.int().nonnegative().optional(),
    joined: z
      .array(z.object({ group_id: z.string(), ...position }))
      .readonly()
      .optional(),
    user: z.object(position).optional(),
  }),
  z.object({
    type: z.literal('message'),
    group_id: z.string(),
    offset: offset.optional(),
    ...message,
  }),
  z.object({
    type: z.literal('ack'),
    id: commandId,
    group_id: z.string().optional(),
    epoch: z.string().optional(),
    offset: offset.optional(),
    recovered: z.boolean().optional(),
    reason: gapReason.optional(),
    count: z.int().nonnegative().optional(),
    stored: z.boolean().optional(),
    verdict: verdict.optional(),
    read_offset: offset.optional(),
    messages: z
      .array(z.object({ offset, ...message }))
      .readonly()
      .optional(),
    token_expires_in_ms: z.int().nonnegative().optional(),
  }),
  z.object({
    type: z.literal('error'),
    id: commandId.optional(),
    group_id: z.string().optional(),
    user: z.literal(true).optional(),
    code: z.string(),
    message: z.string(),
    operation: operation.optional(),
  }),
  z.object({ type: z.literal('gap'), group_id: z.string(), ...gap }),
  z.object({ type: z.literal('joined'), group_id: z.string(), ...joined }),
  z.object({ type: z.literal('removed'), group_id: z.string(), reason: z.string() }),
  z.object({ type: z.literal('ping') }),
  z.object({
    type: z.literal('disconnect'),
    code: z.int(),
    reason: z.string(),
    reconnect: z.boolean(),
    reconnect_after_ms: z.int().optional(),
  }),
]);

/** Checks an event. Unknown fields are dropped. */
export const clientEvent = z.union([userEvent, otherEvent]) satisfies z.ZodType<ClientEvent>;
