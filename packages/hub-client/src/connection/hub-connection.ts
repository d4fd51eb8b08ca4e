import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { createNonce, createProof, isProof, Link, type LinkEnd, type LinkReceiver } from '@groupcast/link';
import { isErrorCode, limits, native, ProtocolError } from '@groupcast/protocol';
import { ArrivingPage } from '../history/arriving-page.ts';
import type { HistoryPage } from '../history/history-page.ts';
import type { HubClientOptions } from '../options.ts';

/** What one connection tells the client that made it. */
export interface HubConnectionEvents {
  /** The TCP connection stands, the handshake is on its way. */
  connected(): void;
  /** The hub has let us in. */
  opened(welcome: native.Welcome): void;
  receive(message: native.NativeMessage): void;
  /** The answer to a HISTORY, when all of it is there. */
  receivePage(request: number, page: HistoryPage): void;
  /**
   * The hub is about to end. Nothing new is to be sent; the client closes when it has the answers
   * that it waits for.
   */
  leaving(reconnectAfterMs: number): void;
  /** Once, and last. */
  ended(error: ProtocolError | undefined): void;
}

/**
 * One connection to a hub, from the first byte to the last.
 *
 *     connecting -> greeting (HELLO is sent) -> proving (PROOF is sent) -> open -> leaving (GOAWAY came) -> ended
 *
 * `proving` is passed over where there is no secret. Any may be the last before `ended`.
 */
export class HubConnection implements LinkReceiver {
  readonly #options: HubClientOptions;
  readonly #events: HubConnectionEvents;
  readonly #link: Link;
  readonly #nonce = createNonce();
  readonly #deadline: NodeJS.Timeout;
  #state: 'connecting' | 'greeting' | 'proving' | 'open' | 'leaving' | 'ended' = 'connecting';
  #page: ArrivingPage | undefined;
  #error: ProtocolError | undefined;

  constructor(options: HubClientOptions, events: HubConnectionEvents) {
    this.#options = options;
    this.#events = events;
    // Whoever is at the other end is not known to be the hub yet, and may not make us hold much.
    const frameBytesMax = Math.min(options.link.frameBytesMax, limits.UNAUTHENTICATED_BYTES_MAX);
    this.#link = new Link(
      connectTo(options, () => this.#greet()),
      this,
      { ...options.link, frameBytesMax },
    );
    this.#deadline = setTimeout(
      () => this.#fail('hub_unavailable', 'did not answer in time'),
      options.connectMs,
    );
  }

  /**
   * Whether the hub has let us in and takes new requests, and what is sent still leaves: not so
   * once the connection ends, before that is told.
   */
  get isOpen(): boolean {
    return this.#state === 'open' && this.#link.state === 'open';
  }

  /** Bytes that wait for the hub to take them. */
  get bufferedBytes(): number {
    return this.#link.bufferedBytes;
  }

  send(frame: Uint8Array): void {
    this.#link.send(frame);
  }

  close(): void {
    // Nothing has been said yet that would have to leave first.
    if (this.#state === 'connecting') this.#link.destroy();
    else this.#link.close();
  }

  receiveSpan(bytes: Uint8Array, start: number, end: number): number {
    this.#receive(bytes.subarray(start, end));
    return end - start;
  }

  #receive(frame: Uint8Array): void {
    const message = native.decodeNative(frame);
    if (this.#page !== undefined) {
      this.#page.add(message, frame.length);
      this.#handOver(this.#page);
    } else if (this.#state === 'open' || this.#state === 'leaving') {
      this.#receiveMessage(message);
    } else {
      this.#shakeHands(message);
    }
  }

  closed(end: LinkEnd, cause: Error | undefined): void {
    this.#state = 'ended';
    clearTimeout(this.#deadline);
    if (end === 'closed') this.#events.ended(this.#error);
    else this.#events.ended(this.#error ?? this.#problem('hub_unavailable', END_SENTENCES[end], cause));
  }

  #receiveMessage(message: native.NativeMessage): void {
    if (message.type === 'error' && message.request === 0) {
      this.#error = this.#refusal(message);
    } else if (message.type === 'page') {
      this.#page = new ArrivingPage(message);
      this.#handOver(this.#page);
    } else if (message.type === 'goaway') {
      this.#state = 'leaving';
      this.#events.leaving(message.reconnectAfterMs);
    } else {
      this.#events.receive(message);
    }
  }

  #handOver(arriving: ArrivingPage): void {
    const page = arriving.whole;
    if (page === undefined) return;
    this.#page = undefined;
    this.#events.receivePage(arriving.request, page);
  }

  #greet(): void {
    this.#state = 'greeting';
    this.#events.connected();
    const { name } = this.#options;
    this.#link.send(native.encodeHello({ version: native.NATIVE_VERSION, nonce: this.#nonce, name }));
  }

  #shakeHands(message: native.NativeMessage): void {
    if (message.type === 'error') {
      this.#error = this.#refusal(message);
      this.#link.destroy();
    } else if (message.type === 'challenge' && this.#state === 'greeting') {
      this.#prove(message);
    } else if (message.type === 'welcome') {
      this.#enter(message);
    } else {
      this.#fail('bad_frame', `sent ${message.type} in the handshake`);
    }
  }

  #prove(challenge: native.Challenge): void {
    const { secret } = this.#options;
    if (secret === '') {
      this.#fail('unauthorized', 'asks for a proof, and no secret is set here. Give both the same secret');
      return;
    }
    const expected = createProof(secret, 'hub', this.#nonce, challenge.nonce);
    const { proof, otherProof } = challenge;
    // A hub whose secret is being changed proves both: it does not know which one is known here.
    if (!isProof(proof, expected) && !(otherProof !== undefined && isProof(otherProof, expected))) {
      this.#fail(
        'unauthorized',
        'did not prove that it knows the secret. It has another one, or it is not the hub',
      );
      return;
    }
    this.#state = 'proving';
    this.#link.send(native.encodeProof(createProof(secret, 'peer', this.#nonce, challenge.nonce)));
  }

  #enter(welcome: native.Welcome): void {
    if (welcome.version !== native.NATIVE_VERSION) {
      this.#fail('unsupported_version', `speaks version ${welcome.version} of the protocol`);
      return;
    }
    if (this.#options.secret !== '' && this.#state !== 'proving') {
      this.#fail('unauthorized', 'asked for no proof, and gave none. Give both the same secret');
      return;
    }
    const { frameBytesMax } = this.#options.link;
    if (welcome.frameBytesMax > frameBytesMax) {
      this.#fail(
        'bad_length',
        `takes frames of up to ${welcome.frameBytesMax} bytes, and link.frameBytesMax is ${frameBytesMax} here. Raise it, or lower --frame-bytes-max of the hub`,
      );
      return;
    }
    this.#state = 'open';
    clearTimeout(this.#deadline);
    // Answers of a hub that takes less may be longer than what it takes.
    this.#link.frameBytesMax = Math.min(
      frameBytesMax,
      Math.max(welcome.frameBytesMax, limits.FRAME_BYTES_MAX),
    );
    this.#link.startHeartbeats(welcome.heartbeatMs);
    this.#events.opened(welcome);
  }

  /** What the hub said before it ended the connection tells more than the end itself. */
  #refusal(message: native.ErrorMessage): ProtocolError {
    const code = isErrorCode(message.code) ? message.code : 'internal_error';
    return this.#problem(code, `refused this peer: ${message.message.replace(/\.$/, '')}`);
  }

  #fail(code: ProtocolError['code'], what: string): void {
    this.#error ??= this.#problem(code, what);
    this.#link.destroy();
  }

  #problem(code: ProtocolError['code'], what: string, cause?: Error): ProtocolError {
    const { host, port, path } = this.#options;
    const hub = path === '' ? `${host}:${port}` : path;
    const detail = cause === undefined ? '' : ` (${cause.message})`;
    return new ProtocolError(code, `The hub at ${hub} ${what}${detail}.`, cause && { cause });
  }
}

/** `ready` is called when bytes can be sent that only the other end reads. */
function connectTo(options: HubClientOptions, ready: () => void): Socket {
  const { host, port, path, tls } = options;
  const to = path === '' ? { host, port } : { path };
  return tls === undefined ? connect(to, ready) : connectTls({ ...tls, ...to }, ready);
}

const END_SENTENCES: Readonly<Record<Exclude<LinkEnd, 'closed'>, string>> = {
  peer_closed: 'closed the connection',
  socket_error: 'cannot be reached',
  protocol_error: 'sent what cannot be read',
  slow: 'takes messages too slowly',
  silent: 'has fallen silent',
  stalled: 'began a frame and did not finish it',
  internal_error: 'sent a message that could not be handled',
};
