import type { Socket } from 'node:net';
import { createNonce, createProof, isProof, Link, type LinkEnd, type LinkReceiver } from '@groupcast/link';
import { dialectOf, limits, type native, type Position, ProtocolError } from '@groupcast/protocol';
import { formatAddress } from '@groupcast/service';
import type { Dialect, Requests } from './dialect/dialect.ts';
import { JsonDialect, type JsonShared } from './dialect/json-dialect.ts';
import { NativeDialect } from './dialect/native-dialect.ts';
import type { PublishSlot } from './engine/engine.ts';
import type { HubOptions } from './hub-options.ts';
import { isLoopbackAddress } from './loopback.ts';
import type { Output } from './output-budget.ts';
import type { PendingPeers } from './pending-peers.ts';
import type { Router } from './router.ts';
import type { SessionEnd } from './session-end.ts';
import type { SessionRow, SessionState } from './session-row.ts';
import type { RequestId, Subscriber } from './subscriber.ts';

const BODY_AT = limits.FRAME_HEADER_BYTES;

/** The body `0` is a keep-alive, as an empty one is. */
const KEEP_ALIVE = 0x30;

/** What the sessions of a hub share. */
export interface SessionShared {
  readonly options: HubOptions;
  readonly router: Router;
  readonly pendingPeers: PendingPeers;
  readonly json: JsonShared;
  /** The session is open. */
  opened(session: Session): void;
  /** A request was refused, and the session goes on. */
  refused(error: ProtocolError): void;
  /** Once, when the socket is closed. */
  ended(session: Session, end: SessionEnd, error: Error | undefined): void;
}

/**
 * One peer.
 *
 *     new --hello, there is a secret--> authenticating --the right proof--> open --> closed
 *     new --hello, there is no secret--> open
 *     new --a request in JSON of a peer that need not prove anything--> open
 *
 * Every state leads to closed. The first frame that is no keep-alive fixes the dialect.
 */
export class Session implements Requests, Subscriber, LinkReceiver, Output {
  readonly id: number;
  readonly #shared: SessionShared;
  readonly #address: string;
  readonly #port: number;
  // Whoever is on this host, or comes to a hub without a secret, may begin with any request where its dialect allows it.
  readonly #isTrusted: boolean;
  readonly #link: Link;
  #state: SessionState = 'new';
  #dialect: Dialect | undefined;
  #name = '';
  #expectedProof: Uint8Array | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #end: SessionEnd | undefined;
  // Answers to the SUBSCRIBE that is being worked on, which leave together.
  #batch: native.SubscribedEntry[] | undefined;
  #batchRequest: RequestId;
  #received = 0;
  #receivedBefore = 0;
  #delivered = 0;

  constructor(id: number, socket: Socket, shared: SessionShared) {
    const { options } = shared;
    const isLocal = isLoopbackAddress(socket.remoteAddress);
    this.id = id;
    this.#shared = shared;
    this.#address = socket.remoteAddress ?? '';
    this.#port = socket.remotePort ?? 0;
    this.#isTrusted = isLocal || options.secret === '';
    const frameBytesMax = this.#isTrusted ? options.frameBytesMax : unprovenBytesMax(options);
    this.#link = new Link(socket, this, { ...options.link, frameBytesMax });
    // A local publisher may connect early and be silent until it has something to say.
    if (!isLocal) this.#startDeadline();
  }

  get queuedBytes(): number {
    return this.#link.queuedBytes;
  }

  row(): SessionRow {
    return {
      id: this.id,
      name: this.#name,
      address: formatAddress(this.#address, this.#port),
      dialect: this.#dialect?.name,
      state: this.#state,
      subjects: this.#shared.router.subjectCount(this),
      received: this.#received,
      delivered: this.#delivered,
      queuedBytes: this.#link.queuedBytes,
    };
  }

  /** Whether publications came from the peer since this was last asked. */
  hasPublished(): boolean {
    const before = this.#receivedBefore;
    this.#receivedBefore = this.#received;
    return this.#received > before;
  }

  /** Reads nothing from the peer until `resume`. */
  pause(): void {
    this.#link.pause();
  }

  resume(): void {
    this.#link.resume();
  }

  /** Sends what is queued, then closes. */
  close(end: SessionEnd, error?: Error): void {
    if (this.#end !== undefined) return;
    this.#leave(end);
    this.#link.close('closed', error);
  }

  /** Closes at once, because the queue is the longest of too much. */
  evict(): void {
    this.#destroy('evicted');
  }

  receive(frame: Uint8Array): void {
    const firstByte = frame[BODY_AT];
    if (firstByte === undefined || (firstByte === KEEP_ALIVE && frame.length === BODY_AT + 1)) return;
    this.#dialect ??= this.#createDialect(firstByte);
    const dialect = this.#dialect;
    if (dialect === undefined) return;
    try {
      if (dialectOf(firstByte) !== dialect.name) {
        throw new ProtocolError(
          'unknown_dialect',
          `This session speaks ${dialect.name}; that does not change.`,
        );
      }
      dialect.receive(frame);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#receiveFailed(dialect, error);
    }
  }

  closed(end: LinkEnd, error: Error | undefined): void {
    if (this.#end === undefined) this.#leave(reasonOf(end, error));
    this.#shared.ended(this, this.#end ?? end, error);
  }

  hello(nonce: Uint8Array, name: string): void {
    const { options } = this.#shared;
    if (this.#state !== 'new') throw new ProtocolError('bad_frame', 'Hello comes once, and first.');
    this.#name = name;
    if (options.secret === '') {
      this.#welcome();
      return;
    }
    this.#state = 'authenticating';
    this.#link.frameBytesMax = unprovenBytesMax(options);
    this.#startDeadline();
    const hubNonce = createNonce();
    this.#expectedProof = createProof(options.secret, 'peer', nonce, hubNonce);
    this.#dialect?.challenge(hubNonce, createProof(options.secret, 'hub', nonce, hubNonce));
  }

  proof(proof: Uint8Array): void {
    const expected = this.#expectedProof;
    this.#expectedProof = undefined;
    if (expected === undefined || !isProof(proof, expected)) throw new ProtocolError('unauthorized');
    this.#welcome();
  }

  subscribe(request: RequestId, subjects: readonly native.Subject[]): void {
    this.#mustBeOpen();
    if (!this.#hasRoomFor(subjects)) {
      const sentence = `A session follows at most ${this.#shared.options.channelsPerSessionMax} channels. Nothing was subscribed.`;
      this.refuse(request, new ProtocolError('channel_limit', sentence));
      return;
    }
    this.#batch = [];
    this.#batchRequest = request;
    for (const subject of subjects) this.#shared.router.subscribe(subject, this, request);
    this.#flushBatch();
    this.#batch = undefined;
  }

  subscribed(subject: native.Subject, position: Position, request: RequestId): void {
    const entry = { ...subject, position };
    if (this.#batch !== undefined && this.#batchRequest === request) this.#batch.push(entry);
    else this.#dialect?.subscribed(request, [entry]);
  }

  notSubscribed(_subject: native.Subject, error: ProtocolError, request: RequestId): void {
    this.refuse(request, error);
  }

  unsubscribe(subjects: readonly native.Subject[]): void {
    this.#mustBeOpen();
    for (const subject of subjects) this.#shared.router.unsubscribe(subject, this);
  }

  publish(publication: native.Publication, frame: Uint8Array, slot: PublishSlot, request: number): void {
    this.#mustBeOpen();
    this.#received += 1;
    this.#shared.router.publish(publication, frame, slot, request);
  }

  deliver(frame: Uint8Array): void {
    // The peer must know of its subscription before the first publication.
    if (this.#batch !== undefined) this.#flushBatch();
    this.#delivered += 1;
    this.#dialect?.deliver(frame);
  }

  send(frame: Uint8Array): void {
    this.#link.send(frame);
  }

  refuse(request: RequestId, error: ProtocolError): void {
    this.#shared.refused(error);
    this.#dialect?.error(request, error);
  }

  countRefusal(error: ProtocolError): void {
    this.#shared.refused(error);
  }

  #createDialect(firstByte: number): Dialect | undefined {
    const dialect = dialectOf(firstByte);
    if (dialect === 'native') return new NativeDialect(this);
    if (dialect === 'json') return new JsonDialect(this, this.#shared.json);
    // Not a word to a PHP peer: a frame that it did not ask for ends its process.
    this.close(dialect === 'php' ? 'php_dialect' : 'unknown_dialect');
    return undefined;
  }

  #receiveFailed(dialect: Dialect, error: ProtocolError): void {
    const mustProve = this.#state === 'authenticating' || (this.#state === 'new' && !this.#isTrusted);
    const isLost = error.code === 'unknown_dialect';
    if (dialect.strict || mustProve || isLost) this.#fail(dialect, error);
    else this.refuse(undefined, error);
  }

  /** The last that the peer hears. */
  #fail(dialect: Dialect, error: ProtocolError): void {
    dialect.error(undefined, error);
    this.close(error.code, error);
  }

  #mustBeOpen(): void {
    if (this.#state === 'open') return;
    const mayBegin = this.#state === 'new' && this.#isTrusted && this.#dialect?.helloFirst === false;
    if (!mayBegin) throw new ProtocolError('unauthorized', 'The session is not open. Say hello first.');
    this.#open();
  }

  #welcome(): void {
    const { options } = this.#shared;
    this.#open();
    this.#dialect?.welcome(options.heartbeatMs, options.frameBytesMax);
    if (this.#dialect?.heartbeats) this.#link.startHeartbeats(options.heartbeatMs);
  }

  #open(): void {
    this.#state = 'open';
    this.#stopDeadline();
    this.#link.frameBytesMax = this.#shared.options.frameBytesMax;
    this.#shared.opened(this);
  }

  #destroy(end: SessionEnd): void {
    if (this.#end === undefined) this.#leave(end);
    this.#link.destroy();
  }

  /** Out of everything that the hub shares, at once: the socket may take a moment to close. */
  #leave(end: SessionEnd): void {
    this.#end = end;
    this.#state = 'closed';
    this.#stopDeadline();
    this.#shared.router.remove(this);
  }

  #startDeadline(): void {
    if (this.#deadline !== undefined) return;
    if (!this.#shared.pendingPeers.add(this.#address)) {
      this.#destroy('too_many_pending');
      return;
    }
    this.#deadline = setTimeout(() => this.close('late'), this.#shared.options.authenticationMs);
  }

  #stopDeadline(): void {
    if (this.#deadline === undefined) return;
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
    this.#shared.pendingPeers.remove(this.#address);
  }

  #hasRoomFor(subjects: readonly native.Subject[]): boolean {
    const { router, options } = this.#shared;
    const count = router.subjectCount(this);
    if (count + subjects.length <= options.channelsPerSessionMax) return true;
    const added = new Set<string>();
    for (const subject of subjects) {
      if (!router.follows(subject, this)) added.add(`${subject.prefix ? '*' : '='}${subject.name}`);
    }
    return count + added.size <= options.channelsPerSessionMax;
  }

  #flushBatch(): void {
    const entries = this.#batch;
    if (entries === undefined || entries.length === 0) return;
    this.#batch = [];
    this.#dialect?.subscribed(this.#batchRequest, entries);
  }
}

function unprovenBytesMax(options: HubOptions): number {
  return Math.min(limits.UNAUTHENTICATED_BYTES_MAX, options.frameBytesMax);
}

function reasonOf(end: LinkEnd, error: Error | undefined): SessionEnd {
  return end === 'protocol_error' && error instanceof ProtocolError ? error.code : end;
}
