import type { native } from '@groupcast/protocol';
import { uidOf } from '../auth/uid-meta.ts';
import type { AckEvent } from './client-events.ts';

/**
 * Returns a message in JSON. `start` has the fields before those of the publication. Inserts the
 * payload as it is where its kind is `json`, so that its digits stay. An ephemeral message has no
 * offset.
 */
export function messageText(start: string, publication: native.Publication, withTime: boolean): string {
  const { kind, number, payload, sender, ephemeral } = publication;
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString();
  const message = kind === 'json' ? text : JSON.stringify(text);
  const from = sender === '' ? '' : `,"from":{"client_id":${JSON.stringify(sender)}${uidText(publication)}}`;
  const end = withTime && publication.timeMs > 0 ? `,"at":${publication.timeMs}}` : '}';
  return ephemeral
    ? `${start}"message":${message}${from}${end}`
    : `${start}"offset":${number},"message":${message}${from}${end}`;
}

// Publications that come together often have one sender: its meta is parsed once.
let lastMeta = '';
let lastUidText = '';

function uidText({ meta }: native.Publication): string {
  if (meta === '') return '';
  if (meta === lastMeta) return lastUidText;
  const uid = uidOf(meta);
  lastMeta = meta;
  lastUidText = uid === undefined ? '' : `,"uid":${JSON.stringify(uid)}`;
  return lastUidText;
}

/** Returns the reply to `history` in JSON, with its messages. */
export function historyText(
  ack: AckEvent,
  publications: readonly native.Publication[],
  withTime: boolean,
): string {
  const messages = publications.map((publication) => messageText('{', publication, withTime));
  return `${JSON.stringify(ack).slice(0, -1)},"messages":[${messages.join(',')}]}`;
}
