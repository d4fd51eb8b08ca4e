import { isDigit } from '../payload.ts';
import { clientFrameHeadBytes, encodeClientFrame, OPCODE } from '../wire/client-frame.ts';
import { type Protocol, reasonText } from './protocol.ts';

/**
 * Groupcast without a subprotocol: deliveries are raw text, and a command with an `id` is answered.
 */
export const groupcast: Protocol = {
  defaultPath: '/',
  stream: false,
  confirmsHello: false,
  hello: (token) =>
    token === undefined
      ? undefined
      : encodeClientFrame(OPCODE.text, JSON.stringify({ cmd: 'auth', token, id: 0 })),
  join: (group) =>
    encodeClientFrame(OPCODE.text, JSON.stringify({ cmd: 'add_group', group_id: group, id: 1 })),
  publish: (group, payload) => {
    const text = JSON.stringify({ cmd: 'send_to_group', group_id: group, message: payload });
    const frame = encodeClientFrame(OPCODE.text, text);
    return { frame, payloadStart: clientFrameHeadBytes(text.length) + text.indexOf(payload) };
  },
  receive: (wire, events, bytes, start, end) => {
    if (start === end || isDigit(bytes[start] ?? 0)) {
      events.delivered(wire, bytes, start, end);
      return;
    }
    const text = reasonText(bytes, start, end);
    if (text.startsWith('{"type":"ack"')) events.confirmed(wire);
    else events.refused(wire, text);
  },
};
