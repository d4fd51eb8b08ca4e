import { parseClientCommand } from '@groupcast/protocol/schema';
import { textFrame, textFrames } from '../../socket/outbound-frame.ts';
import type { ClientProtocol } from '../client-protocol.ts';
import { historyText } from '../message-text.ts';

/**
 * Plain mode, for clients without a subprotocol. A message is its payload alone, and the only
 * events are replies to commands: a page that expects payloads would show any other event.
 */
export const PLAIN: ClientProtocol = {
  name: 'plain',
  subprotocol: undefined,
  hasSessions: false,
  resumes: false,
  ping: undefined,
  parseCommand: parseClientCommand,
  encodeEvent: (event) =>
    event.type === 'ack' || event.type === 'error' ? textFrame(JSON.stringify(event)) : undefined,
  encodeMessages: (_groupName, publications) => textFrames(publications.map(({ payload }) => payload)),
  encodeHistory: (ack, publications) => textFrame(historyText(ack, publications, false)),
};
