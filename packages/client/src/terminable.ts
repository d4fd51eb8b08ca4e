import type { WebSocketConstructor } from './websocket-like.ts';

/**
 * Leaves a WebSocket as it is: a page ends without waiting for its connections. This keeps what only Node needs out of pages;
 * Node gets terminable.node.ts, by the `imports` of package.json.
 */
export function terminable(WebSocket: WebSocketConstructor): WebSocketConstructor {
  return WebSocket;
}
