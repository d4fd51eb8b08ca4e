import { limits } from '@groupcast/protocol';
import {
  CLIENT_SUBPROTOCOL_V1,
  CLIENT_SUBPROTOCOL_V1_AT,
  type ClientEvent,
  parseClientCommand,
} from '@groupcast/protocol/schema';
import { textFrame, textFrames } from '../../socket/outbound-frame.ts';
import type { ClientProtocol } from '../client-protocol.ts';
import { historyText, messageText } from '../message-text.ts';

/** The subprotocol `groupcast.v1`: everything is an event in JSON. */
export const V1: ClientProtocol = createProtocol('v1', CLIENT_SUBPROTOCOL_V1, false);

/** The subprotocol `groupcast.v1.at`: the same, and messages have their time. */
export const V1_AT: ClientProtocol = createProtocol('v1.at', CLIENT_SUBPROTOCOL_V1_AT, true);

// A protocol of its own, and no option of a connection: batches are encoded once for each protocol.
function createProtocol(name: string, subprotocol: string, withTime: boolean): ClientProtocol {
  return {
    name,
    subprotocol,
    hasSessions: true,
    resumes: true,
    // Browsers do not show WebSocket pings to pages.
    ping: encodeEvent({ type: 'ping' }),
    parseCommand: parseClientCommand,
    encodeEvent,
    encodeMessages: (groupName, publications) => {
      const start = messageStart(groupName);
      return textFrames(
        publications.map((publication) => Buffer.from(messageText(start, publication, withTime))),
      );
    },
    encodeHistory: (ack, publications) => textFrame(historyText(ack, publications, withTime)),
  };
}

function messageStart(groupName: string): string {
  if (groupName === limits.USER_GROUP) return '{"type":"message","user":true,';
  return `{"type":"message","group_id":${JSON.stringify(groupName)},`;
}

function encodeEvent(event: ClientEvent): Uint8Array {
  return textFrame(JSON.stringify(event));
}
