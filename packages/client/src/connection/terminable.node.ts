import type { WebSocketConstructor, WebSocketLike } from './websocket-like.ts';

/** How long the gateway's close frame is waited for: a connection without it would keep the process running. */
const CLOSE_TIMEOUT_MS = 2_000;

/** The `readyState` of a WebSocket whose `close` event has come. */
const CLOSED = 3;

/** By which undici, the HTTP client of Node that its WebSocket is part of, keeps what makes its connections. */
const DISPATCHER = Symbol.for('undici.globalDispatcher.1');

interface Handler {
  onUpgrade?: (...args: { destroy(): void }[]) => unknown;
}

interface Dispatcher {
  dispatch(request: unknown, handler: Handler): boolean;
}

/**
 * Adds `terminate` to Node's own WebSocket, as `ws` and Bun have it; leaves any other as it is.
 *
 * That of Node cannot be ended without an answer of its peer: on a dead network, a process would run for ever after `close()`.
 * It takes a dispatcher, which sees the connection below.
 */
export function terminable(Own: WebSocketConstructor): WebSocketConstructor {
  const dispatcher = (globalThis as { readonly [DISPATCHER]?: Dispatcher })[DISPATCHER];
  // Only undici's names the type of its options. That of a test environment gets what the standard says.
  if (dispatcher === undefined || !String(Own).includes('WebSocketInit')) return Own;
  return class extends (Own as new (url: string, init: object) => WebSocketLike) {
    override terminate: () => void;

    constructor(url: string, protocols: string[]) {
      let connection: { destroy(): void } | undefined;
      const dispatch = (request: unknown, handler: Handler): boolean => {
        const { onUpgrade } = handler;
        handler.onUpgrade = (...args) => {
          connection = args[2];
          return onUpgrade?.apply(handler, args);
        };
        return (dispatcher as Dispatcher).dispatch(request, handler);
      };
      super(url, { protocols, dispatcher: { dispatch } });
      this.terminate = () => connection?.destroy();
    }
  };
}

/** Terminates a WebSocket that was told to close, unless the close frame comes in time. */
export function terminateLater(socket: WebSocketLike): void {
  const { readyState } = socket as { readonly readyState?: number };
  if (!socket.terminate || readyState === CLOSED) return;
  const timer = setTimeout(() => socket.terminate?.(), CLOSE_TIMEOUT_MS);
  socket.addEventListener('close', () => clearTimeout(timer));
}
