import type { native } from '@groupcast/protocol';
import type { AckEvent } from './client-events.ts';

/**
 * Returns the fields of a message in JSON, without braces. Inserts the payload as it is where its
 * kind is `json`, so that its digits stay. An ephemeral message has no offset.
 */
export function messageFields(publication: native.Publication, withTime: boolean): string {
  const { kind, number, payload, sender, ephemeral, timeMs } = publication;
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString();
  const offset = ephemeral ? '' : `"offset":${number},`;
  const message = kind === 'json' ? text : JSON.stringify(text);
  const from = sender === '' ? '' : `,"from":{"client_id":${JSON.stringify(sender)}}`;
  const at = withTime && timeMs > 0 ? `,"at":${timeMs}` : '';
  return `${offset}"message":${message}${from}${at}`;
}

/** Returns the reply to `history` in JSON, with its messages. */
export function historyText(
  ack: AckEvent,
  publications: readonly native.Publication[],
  withTime: boolean,
): string {
  const messages = publications.map((publication) => `{${messageFields(publication, withTime)}}`);
  return `${JSON.stringify(ack).slice(0, -1)},"messages":[${messages.join(',')}]}`;
}
