import type { native } from '@groupcast/protocol';
import { CLIENT_SUBPROTOCOL_V1, type ClientEvent, parseClientCommand } from '@groupcast/protocol/schema';
import { textFrame, textFrames } from '../../socket/outbound-frame.ts';
import type { ClientProtocol } from '../client-protocol.ts';

/** The subprotocol `groupcast.v1`: everything is an event in JSON. */
export const V1: ClientProtocol = {
  name: 'v1',
  subprotocol: CLIENT_SUBPROTOCOL_V1,
  hasSessions: true,
  // Browsers do not show WebSocket pings to pages.
  ping: encodeEvent({ type: 'ping' }),
  parseCommand: parseClientCommand,
  encodeEvent,
  encodeMessages: (groupName, publications) => {
    const groupJson = JSON.stringify(groupName);
    return textFrames(publications.map((publication) => encodeMessage(groupJson, publication)));
  },
};

function encodeEvent(event: ClientEvent): Uint8Array {
  return textFrame(JSON.stringify(event));
}

/** Encodes a `message` event. Inserts the payload as it is where its kind is `json`. */
function encodeMessage(groupJson: string, { kind, number, payload, sender }: native.Publication): Buffer {
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString();
  const message = kind === 'json' ? text : JSON.stringify(text);
  const from = sender === '' ? '' : `,"from":{"client_id":${JSON.stringify(sender)}}`;
  return Buffer.from(
    `{"type":"message","group_id":${groupJson},"offset":${number},"message":${message}${from}}`,
  );
}
