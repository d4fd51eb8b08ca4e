import type { WebSocketConstructor, WebSocketLike } from './websocket-like.ts';

// What pages have in place of terminable.node.ts, by the `imports` of package.json: a page ends without waiting for its
// connections, and does not load what only a process needs.

export function terminable(WebSocket: WebSocketConstructor): WebSocketConstructor {
  return WebSocket;
}

export function terminateLater(_socket: WebSocketLike): void {}
