import type { WebSocketConstructor, WebSocketLike } from './websocket-like.ts';

// Replaces terminable.node.ts in pages, by the `imports` of package.json: a page ends without
// waiting for its connections.

/** Milliseconds to wait for the gateway's close frame under jsdom, which itself waits for 30 s. */
const CLOSE_TIMEOUT_MS = 2_000;

/** Describes the property of jsdom's WebSocket that has its implementation, and the `ws` in it. */
const IMPLEMENTATION = 'impl';

interface Implementation {
  readonly _ws?: { terminate?(): void };
}

export function terminable(WebSocket: WebSocketConstructor): WebSocketConstructor {
  return WebSocket;
}

/** Terminates a closing WebSocket of jsdom, whose process could not end before. */
export function terminateLater(socket: WebSocketLike): void {
  const key = Object.getOwnPropertySymbols(socket).find(({ description }) => description === IMPLEMENTATION);
  const inner = key && (Reflect.get(socket, key) as Implementation)._ws;
  if (inner?.terminate) setTimeout(() => inner.terminate?.(), CLOSE_TIMEOUT_MS);
}
