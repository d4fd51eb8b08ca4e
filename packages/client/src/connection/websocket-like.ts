/** The used part of a WebSocket of browsers, of Node 22 or later, or of the package `ws`. */
export interface WebSocketLike {
  addEventListener(type: 'error', listener: (event: unknown) => void): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(
    type: 'close',
    listener: (event: { readonly code: number; readonly reason: string }) => void,
  ): void;
  send(text: string): void;
  close(code?: number, reason?: string): void;
  /** Ends the connection without an answer of the peer. Missing in browsers. */
  terminate?(): void;
}

export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;
