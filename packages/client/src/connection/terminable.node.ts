import type { WebSocketConstructor, WebSocketLike } from './websocket-like.ts';

/** Milliseconds to wait for the gateway's close frame. Without it the process would not end. */
const CLOSE_TIMEOUT_MS = 2_000;

/** The `readyState` after the `close` event. */
const CLOSED = 3;

/** Key of the dispatcher of undici, which opens the connections of Node's WebSocket. */
const DISPATCHER = Symbol.for('undici.globalDispatcher.1');

interface Handler {
  onUpgrade?: (...args: { destroy(): void }[]) => unknown;
}

interface Dispatcher {
  dispatch(request: unknown, handler: Handler): boolean;
}

/**
 * The part of Deno that its WebSocket is made of: a connection is a resource, which has a number.
 */
interface DenoInternals {
  readonly core?: { readonly close?: (resource: number) => void };
}

interface Deno {
  readonly internal: symbol;
  readonly [key: symbol]: DenoInternals | undefined;
}

/** Describes the property of Deno's WebSocket that has the number of its resource. */
const RESOURCE = '[[rid]]';

/**
 * Adds `terminate` to the WebSockets of Node and Deno, as `ws` and Bun have it. Leaves any other
 * WebSocket as it is, and these where a later version of the runtime lacks the internals.
 *
 * Neither runtime ends a connection without an answer of its peer. On a dead network, the process
 * would never end after `close()`.
 */
export function terminable(Own: WebSocketConstructor): WebSocketConstructor {
  if ('terminate' in Own.prototype) return Own;
  const {
    [DISPATCHER]: dispatcher,
    Deno,
    WebSocket,
  } = globalThis as {
    readonly [DISPATCHER]?: Dispatcher;
    readonly Deno?: Deno;
    readonly WebSocket?: WebSocketConstructor;
  };
  const closeResource = Deno?.[Deno.internal]?.core?.close;
  if (closeResource && Own === WebSocket) return withResource(Own, closeResource);
  // Only the class of undici names the type of its options. A test environment has another class.
  return dispatcher && String(Own).includes('WebSocketInit') ? withDispatcher(Own, dispatcher) : Own;
}

/** Adds `terminate` in Node: undici accepts a dispatcher, which sees the connection below. */
function withDispatcher(Own: WebSocketConstructor, dispatcher: Dispatcher): WebSocketConstructor {
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
        return dispatcher.dispatch(request, handler);
      };
      super(url, { protocols, dispatcher: { dispatch } });
      this.terminate = () => connection?.destroy();
    }
  };
}

function withResource(Own: WebSocketConstructor, close: (resource: number) => void): WebSocketConstructor {
  return class extends Own {
    override terminate(): void {
      const key = Object.getOwnPropertySymbols(this).find(({ description }) => description === RESOURCE);
      const resource = key && Reflect.get(this, key);
      if (typeof resource === 'number') close(resource);
    }
  };
}

/** Terminates a closing WebSocket, unless it receives the close frame in time. */
export function terminateLater(socket: WebSocketLike): void {
  const { readyState } = socket as { readonly readyState?: number };
  if (!socket.terminate || readyState === CLOSED) return;
  const timer = setTimeout(() => socket.terminate?.(), CLOSE_TIMEOUT_MS);
  socket.addEventListener('close', () => clearTimeout(timer));
}
