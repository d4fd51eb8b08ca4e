import type { WebSocketConstructor, WebSocketLike } from './websocket-like.ts';

// Replaces terminable.node.ts in pages, by the `imports` of package.json: a page ends without
// waiting for its connections.

export function terminable(WebSocket: WebSocketConstructor): WebSocketConstructor {
  return WebSocket;
}

export function terminateLater(_socket: WebSocketLike): void {}
