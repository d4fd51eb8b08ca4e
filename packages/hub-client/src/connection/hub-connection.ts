import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { createNonce, createProof, isProof, Link, type LinkEnd, type LinkReceiver } from '@groupcast/link';
import { isErrorCode, limits, native, ProtocolError } from '@groupcast/protocol';
import { ArrivingPage } from '../history/arriving-page.ts';
import type { HistoryPage } from '../history/history-page.ts';
import type { HubClientOptions } from '../options.ts';
import { describeFailure } from './link-failure.ts';

/** Index of the opcode in a frame. */
const OPCODE_AT = limits.FRAME_HEADER_BYTES;

/** Events of one connection. */
export interface HubConnectionEvents {
  /** The TCP connection is established, the handshake has begun. */
  connected(): void;
  /** The hub has accepted the client. */
  opened(welcome: native.Welcome): void;
  receive(message: native.NativeMessage): void;
  /** A message was skipped: one that a newer hub announced, and that this version does not know. */
  skipped(): void;
  /** Receives the answer to a HISTORY, when it is complete. */
  receivePage(request: number, page: HistoryPage<native.HistoryVerdict>): void;
  /**
   * The hub is shutting down. No new requests may be sent. The client closes the connection when
   * nothing is pending.
   */
  leaving(reconnectAfterMs: number): void;
  /** Called once, and last. */
  ended(error: ProtocolError | undefined): void;
}

/**
 * One connection to a hub, from the first byte to the last.
 *
 *     connecting -> greeting (HELLO sent) -> proving (PROOF sent) -> open -> leaving (GOAWAY)
 *
 * Without a secret, `proving` is skipped. Each state may be followed by `ended`.
 */
export class HubConnection implements LinkReceiver {
  readonly #options: HubClientOptions;
  readonly #events: HubConnectionEvents;
  readonly #link: Link;
  readonly #nonce = createNonce();
  readonly #deadline: NodeJS.Timeout;
  #state: 'connecting' | 'greeting' | 'proving' | 'open' | 'leaving' | 'ended' = 'connecting';
  #page: ArrivingPage | undefined;
  #capabilities = 0;
  #error: ProtocolError | undefined;

  constructor(options: HubClientOptions, events: HubConnectionEvents) {
    this.#options = options;
    this.#events = events;
    // The other end is not known to be the hub yet, and must not cause large buffers.
    const frameBytesMax = Math.min(options.link.frameBytesMax, limits.UNAUTHENTICATED_BYTES_MAX);
    this.#link = new Link(
      connectTo(options, () => this.#sendHello()),
      this,
      { ...options.link, frameBytesMax },
    );
    this.#deadline = setTimeout(
      () => this.#fail('hub_unavailable', 'did not answer in time'),
      options.connectMs,
    );
  }

  /**
   * Whether the hub accepts new requests. False once the connection ends, before `ended` is called.
   */
  get isOpen(): boolean {
    return this.#state === 'open' && this.#link.state === 'open';
  }

  /** Bytes that are buffered for the hub. */
  get bufferedBytes(): number {
    return this.#link.bufferedBytes;
  }

  /** Capabilities that the hub announced; 0 before WELCOME. */
  get capabilities(): number {
    return this.#capabilities;
  }

  send(frame: Uint8Array): void {
    this.#link.send(frame);
  }

  close(): void {
    // Nothing has been sent yet.
    if (this.#state === 'connecting') this.#link.destroy();
    else this.#link.close();
  }

  receiveSpan(bytes: Uint8Array, start: number, end: number): number {
    this.#receive(bytes.subarray(start, end));
    return end - start;
  }

  #receive(frame: Uint8Array): void {
    // The frames behind a PAGE are its publications.
    if (this.#page === undefined && native.mayHaveOpcode(this.#capabilities, frame[OPCODE_AT] ?? 0)) {
      this.#events.skipped();
      return;
    }
    const message = native.decodeNative(frame);
    if (this.#page !== undefined) {
      this.#page.add(message, frame.length);
      this.#receivePage(this.#page);
    } else if (this.#state === 'open' || this.#state === 'leaving') {
      this.#receiveMessage(message);
    } else {
      this.#receiveHandshake(message);
    }
  }

  closed(end: LinkEnd, cause: Error | undefined): void {
    const isConnected = this.#state !== 'connecting';
    this.#state = 'ended';
    clearTimeout(this.#deadline);
    if (end !== 'closed') this.#error ??= this.#failure(end, cause, isConnected);
    this.#events.ended(this.#error);
  }

  #failure(end: Exclude<LinkEnd, 'closed'>, cause: Error | undefined, isConnected: boolean): ProtocolError {
    const hasAnswer = this.#link.bytesReceived > 0;
    const { what, advice } = describeFailure({ end, cause, isConnected, hasAnswer }, this.#options);
    return this.#problem('hub_unavailable', what, cause, advice);
  }

  #receiveMessage(message: native.NativeMessage): void {
    if (message.type === 'error' && message.request === 0) {
      this.#error = this.#rejection(message);
    } else if (message.type === 'page') {
      this.#page = new ArrivingPage(message);
      this.#receivePage(this.#page);
    } else if (message.type === 'goaway') {
      this.#state = 'leaving';
      this.#events.leaving(message.reconnectAfterMs);
    } else {
      this.#events.receive(message);
    }
  }

  #receivePage(arriving: ArrivingPage): void {
    const page = arriving.whole;
    if (page === undefined) return;
    this.#page = undefined;
    this.#events.receivePage(arriving.request, page);
  }

  #sendHello(): void {
    this.#state = 'greeting';
    this.#events.connected();
    const { name } = this.#options;
    this.#link.send(native.encodeHello({ version: native.NATIVE_VERSION, nonce: this.#nonce, name }));
  }

  #receiveHandshake(message: native.NativeMessage): void {
    if (message.type === 'error') {
      this.#error = this.#rejection(message);
      this.#link.destroy();
    } else if (message.type === 'challenge' && this.#state === 'greeting') {
      this.#sendProof(message);
    } else if (message.type === 'welcome') {
      this.#open(message);
    } else {
      this.#fail('bad_frame', `sent ${message.type} in the handshake`);
    }
  }

  #sendProof(challenge: native.Challenge): void {
    const { secret } = this.#options;
    if (secret === '') {
      this.#fail(
        'unauthorized',
        'requires a proof, and this client has no secret. Give both the same secret',
      );
      return;
    }
    const expected = createProof(secret, 'hub', this.#nonce, challenge.nonce);
    const { proof, otherProof } = challenge;
    // A hub with two secrets proves both: it does not know which one the client has.
    if (!isProof(proof, expected) && !(otherProof !== undefined && isProof(otherProof, expected))) {
      this.#fail(
        'unauthorized',
        'did not prove that it knows the secret. It has another secret, or is not the hub',
      );
      return;
    }
    this.#state = 'proving';
    this.#link.send(native.encodeProof(createProof(secret, 'peer', this.#nonce, challenge.nonce)));
  }

  #open(welcome: native.Welcome): void {
    if (welcome.version !== native.NATIVE_VERSION) {
      this.#fail(
        'unsupported_version',
        `uses version ${welcome.version} of the protocol, and this client ${native.NATIVE_VERSION}. Update the older one`,
      );
      return;
    }
    const { capabilities = 0 } = welcome;
    if (!native.hasCapability(capabilities, native.CAPABILITIES.extended)) {
      this.#fail('unsupported_version', 'is older than this client and announces no capabilities. Update it');
      return;
    }
    if (this.#options.secret !== '' && this.#state !== 'proving') {
      this.#fail('unauthorized', 'has no secret, and this client has one. Give both the same secret');
      return;
    }
    const { frameBytesMax } = this.#options.link;
    if (welcome.frameBytesMax > frameBytesMax) {
      this.#fail(
        'bad_length',
        `accepts frames of ${welcome.frameBytesMax} bytes, and link.frameBytesMax is ${frameBytesMax}. Raise it, or lower --frame-bytes-max of the hub`,
      );
      return;
    }
    this.#state = 'open';
    this.#capabilities = capabilities;
    clearTimeout(this.#deadline);
    // Answers of a hub with a lower limit may be longer than the limit.
    this.#link.frameBytesMax = Math.min(
      frameBytesMax,
      Math.max(welcome.frameBytesMax, limits.FRAME_BYTES_MAX),
    );
    this.#link.startHeartbeats(welcome.heartbeatMs);
    this.#events.opened(welcome);
  }

  /** The hub's own error tells more than the end of the connection. */
  #rejection(message: native.ErrorMessage): ProtocolError {
    const code = isErrorCode(message.code) ? message.code : 'internal_error';
    return this.#problem(code, `rejected this client: ${message.message.replace(/\.$/, '')}`);
  }

  #fail(code: ProtocolError['code'], what: string): void {
    this.#error ??= this.#problem(code, what);
    this.#link.destroy();
  }

  #problem(code: ProtocolError['code'], what: string, cause?: Error, advice?: string): ProtocolError {
    const { host, port, path } = this.#options;
    const hub = path === '' ? `${host}:${port}` : path;
    const detail = cause === undefined ? '' : ` (${sentenceOf(cause)})`;
    const rest = advice === undefined ? '' : ` ${advice}.`;
    return new ProtocolError(code, `The hub at ${hub} ${what}${detail}.${rest}`, cause && { cause });
  }
}

/** Returns the message of an error, or the shorter reason that errors of OpenSSL have. */
function sentenceOf(error: Error): string {
  if ('reason' in error && typeof error.reason === 'string') return error.reason;
  return error.message.replace(/\.$/, '');
}

/** Connects. `ready` is called when bytes can be sent that only the other end can read. */
function connectTo(options: HubClientOptions, ready: () => void): Socket {
  const { host, port, path, tls } = options;
  const to = path === '' ? { host, port } : { path };
  return tls === undefined ? connect(to, ready) : connectTls({ ...tls, ...to }, ready);
}
