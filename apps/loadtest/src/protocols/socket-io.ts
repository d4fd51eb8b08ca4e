import { clientFrameHeadBytes, encodeClientFrame, OPCODE } from '../wire/client-frame.ts';
import { type Protocol, reasonText } from './protocol.ts';

// Packets of engine.io (first digit) and of socket.io within its messages (second digit).
const OPEN = 0x30; // 0: the server greets
const PING = 0x32; // 2: the server asks whether we live
const MESSAGE = 0x34; // 4
const CONNECTED = 0x30; // 40
const EVENT = 0x32; // 42
const ACK = 0x33; // 43

const CONNECT_FRAME = encodeClientFrame(OPCODE.text, '40');
const PONG_FRAME = encodeClientFrame(OPCODE.text, '3');

/** Beginning and end of a delivery. */
const DELIVERY_HEAD = '42["message","';
const DELIVERY_END = '"]';

/**
 * Socket.IO 4 over WebSocket only: events `join` (acknowledged) and `publish` to the server,
 * `message` from it.
 */
export const socketIo: Protocol = {
  defaultPath: '/socket.io/?EIO=4&transport=websocket',
  stream: false,
  confirmsHello: true,
  hello: () => undefined,
  join: (group) => encodeClientFrame(OPCODE.text, `420${JSON.stringify(['join', group])}`),
  publish: (group, payload) => {
    const text = `42${JSON.stringify(['publish', group, payload])}`;
    const frame = encodeClientFrame(OPCODE.text, text);
    return { frame, payloadStart: clientFrameHeadBytes(text.length) + text.indexOf(payload) };
  },
  receive: (wire, events, bytes, start, end) => {
    const first = bytes[start];
    const second = bytes[start + 1];
    if (first === MESSAGE && second === EVENT) {
      // The server sends only one event, so its head is not compared: an invalid payload is
      // detected later.
      events.delivered(wire, bytes, start + DELIVERY_HEAD.length, end - DELIVERY_END.length);
    } else if (first === PING) {
      wire.write(PONG_FRAME);
    } else if (first === OPEN) {
      wire.write(CONNECT_FRAME);
    } else if (first === MESSAGE && (second === CONNECTED || second === ACK)) {
      events.confirmed(wire);
    } else {
      events.refused(wire, reasonText(bytes, start, end));
    }
  },
};
