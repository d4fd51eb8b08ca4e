// Types are trusted: the gateway speaks its protocol. A value that could do harm is checked where
// it is used.
import type { ClientEvent, ErrorEvent, Position } from '@groupcast/protocol/client';
import { GroupcastError } from '../groupcast-error.ts';
import { EPOCH_BYTES_MAX } from '../limits.ts';
import { isName, isText } from '../sending/text.ts';

/**
 * Reads a message of the gateway. Invalid data becomes an event `error`. The caller ignores events
 * of an unknown type.
 */
export function parseEvent(data: unknown): ClientEvent {
  try {
    const event = JSON.parse(data as string) as ClientEvent;
    if (typeof event.type === 'string') return event;
  } catch {
    // Not JSON, a binary message, or null.
  }
  return { type: 'error', code: 'bad_event', message: 'The gateway sent an invalid event.' };
}

/** Returns the error in an event. */
export function errorOf({ code, message, operation }: ErrorEvent): GroupcastError {
  const sentence = isText(message) ? message : '';
  return new GroupcastError(isText(code) ? code : 'bad_event', sentence, { operation });
}

/** Returns the position in a value, or `undefined` when recovery cannot begin there. */
export function positionOf({ epoch, offset }: MaybePosition): Position | undefined {
  const isPosition =
    isName(epoch, EPOCH_BYTES_MAX) && Number.isSafeInteger(offset) && (offset as number) >= 0;
  return isPosition ? { epoch, offset: offset as number } : undefined;
}

interface MaybePosition {
  readonly epoch?: unknown;
  readonly offset?: unknown;
}
