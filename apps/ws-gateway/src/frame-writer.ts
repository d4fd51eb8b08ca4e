import { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { payloadsOf } from './text-frame.ts';

// The only file that goes below ws.send(). That costs a header, two writes and a callback for every member; here the bytes
// that all members share are written once to each socket. It is safe because
// - only whole frames are written, and ws too writes each of its frames whole, in one turn, so that none is cut by another;
// - no extension is negotiated, so ws neither compresses nor queues: its sender stands idle, and no earlier frame waits in it;
// - nothing is written once ws has begun to close, so that no data follows a close frame (RFC 6455, section 5.5.1).
// `canWriteBelow` looks at each of these on each connection. Where one fails, ws.send() is used: slower, and always right.

/** The state in which the sender of ws writes at once. */
const SENDER_IDLE = 0;

/** Whether frames may be written past `ws` onto the socket that it was given. */
export function canWriteBelow(ws: WebSocket, socket: Socket): boolean {
  if (!(socket instanceof Socket) || ws.extensions !== '') return false;
  const sender: unknown = Reflect.get(ws, '_sender');
  if (typeof sender !== 'object' || sender === null) return false;
  const queue: unknown = Reflect.get(sender, '_queue');
  return (
    Reflect.get(ws, '_socket') === socket &&
    Reflect.get(sender, '_socket') === socket &&
    Reflect.get(sender, '_state') === SENDER_IDLE &&
    Array.isArray(queue) &&
    queue.length === 0
  );
}

/**
 * Sends whole text frames, as `textFrame` and `textFrames` make them: past `ws` when there is a `socket` that
 * `canWriteBelow` took, else through it. Says whether they were sent: not so once the connection is closing.
 */
export function writeFrames(ws: WebSocket, socket: Socket | undefined, frames: Uint8Array): boolean {
  if (ws.readyState !== WebSocket.OPEN) return false;
  if (socket !== undefined) socket.write(frames);
  else for (const payload of payloadsOf(frames)) ws.send(payload, { binary: false });
  return true;
}

/** Bytes that wait in this process for the client to read. */
export function queuedBytesOf(ws: WebSocket, socket: Socket | undefined): number {
  return socket?.writableLength ?? ws.bufferedAmount;
}
