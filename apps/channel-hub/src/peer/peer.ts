import type { Socket } from 'node:net';
import { Link, type LinkEnd, type LinkReceiver } from '@groupcast/link';
import { dialectOf, limits, ProtocolError } from '@groupcast/protocol';
import { formatAddress } from '@groupcast/service';
import type { Dialect } from '../dialect/dialect.ts';
import { JsonDialect } from '../dialect/json/dialect.ts';
import { NativeDialect } from '../dialect/native/dialect.ts';
import { PhpDialect } from '../dialect/php/dialect.ts';
import type { Leaver } from '../drain.ts';
import type { Output } from '../output-budget.ts';
import { Admission } from './admission.ts';
import type { SessionShared } from './peer-deps.ts';
import type { SessionEnd } from './peer-end.ts';
import type { SessionRow } from './peer-row.ts';
import { type RequestsOwner, SessionRequests } from './requests.ts';

const BODY_AT = limits.FRAME_HEADER_BYTES;

/** The body `0` is a keep-alive, as an empty one is. */
const KEEP_ALIVE = 0x30;

/** What it costs to read a frame, in bytes of what is read, however short it is. */
const FRAME_WORK_BYTES = 256;

const UNTRUSTED =
  'PHP is taken from this host, unless --no-local-trust is given, and from the addresses that --trust names.';

/** One peer, whose state is that of its admission. The first frame that is no keep-alive fixes the dialect. */
export class Session implements LinkReceiver, Output, Leaver, RequestsOwner {
  readonly id: number;
  readonly #shared: SessionShared;
  readonly #isLocal: boolean;
  readonly #address: string;
  readonly #port: number;
  readonly #admission: Admission;
  readonly #link: Link;
  readonly #requests: SessionRequests;
  #dialect: Dialect | undefined;
  #name = '';
  #end: SessionEnd | undefined;
  #wasAskedToLeave = false;
  #receivedBefore = 0;

  /** `isLocal`: it is on a host that is trusted, as this one is by default. */
  constructor(id: number, socket: Socket, isLocal: boolean, shared: SessionShared) {
    const { options } = shared;
    this.id = id;
    this.#isLocal = isLocal;
    this.#shared = shared;
    this.#address = socket.remoteAddress ?? '';
    this.#port = socket.remotePort ?? 0;
    const events = {
      late: () => this.close('late'),
      tooManyPending: () => this.#destroy('too_many_pending'),
    };
    this.#admission = new Admission(shared, events, this.#address, isLocal);
    const { frameBytesMax } = this.#admission;
    this.#link = new Link(socket, this, { ...options.link, frameBytesMax });
    this.#requests = new SessionRequests(this, this.#link, shared);
    // A local publisher may connect early and be silent until it has something to say.
    if (!isLocal) this.#admission.startDeadline();
  }

  get queuedBytes(): number {
    return this.#link.bufferedBytes;
  }

  /** Whether the secret that the peer proved to know is accepted no longer. */
  get hasOldSecret(): boolean {
    const { secret } = this.#admission;
    return secret !== undefined && !this.#shared.secrets.has(secret);
  }

  row(): SessionRow {
    return {
      id: this.id,
      name: this.#name,
      address: this.#address === '' ? 'unix socket' : formatAddress(this.#address, this.#port),
      dialect: this.#dialect?.name,
      state: this.#admission.state,
      subjects: this.#shared.router.subjectCount(this.#requests),
      received: this.#requests.received,
      delivered: this.#requests.delivered,
      queuedBytes: this.#link.bufferedBytes,
    };
  }

  /** Whether publications came from the peer since this was last asked. */
  hasPublished(): boolean {
    const before = this.#receivedBefore;
    this.#receivedBefore = this.#requests.received;
    return this.#receivedBefore > before;
  }

  /** Reads nothing from the peer until `resume`. */
  pause(): void {
    this.#requests.pause();
  }

  resume(): void {
    this.#requests.resume();
  }

  /** Sends what is queued, then closes. */
  close(end: SessionEnd, error?: Error): void {
    if (this.#end !== undefined) return;
    this.#leave(end);
    this.#link.close('closed', error);
  }

  askToLeave(reconnectAfterMs: number): boolean {
    if (this.#admission.state !== 'open') return false;
    this.#wasAskedToLeave = this.#dialect?.goaway(reconnectAfterMs) ?? false;
    return this.#wasAskedToLeave;
  }

  /** Closes at once, because the queue is the longest of too much. */
  evict(): void {
    this.#destroy('evicted');
  }

  receiveSpan(bytes: Uint8Array, start: number, end: number): number {
    const { router } = this.#shared;
    const before = router.work;
    const firstByte = bytes[start + BODY_AT];
    const isKeepAlive = firstByte === KEEP_ALIVE && end - start === BODY_AT + 1;
    if (firstByte !== undefined && !isKeepAlive) this.#receive(firstByte, bytes, start, end);
    return end - start + FRAME_WORK_BYTES + router.work - before;
  }

  receivedAll(): number {
    const { router } = this.#shared;
    const before = router.work;
    try {
      this.#dialect?.receivedAll();
    } catch (error) {
      this.#receiveFailed(error);
    }
    return router.work - before;
  }

  ending(end: LinkEnd, error: Error | undefined): void {
    if (this.#end === undefined) this.#leave(this.#reasonOf(end, error));
  }

  closed(end: LinkEnd, error: Error | undefined): void {
    this.ending(end, error);
    this.#shared.ended(this, this.#end ?? end, error);
  }

  get dialect(): Dialect | undefined {
    return this.#dialect;
  }

  hello(nonce: Uint8Array, name: string): void {
    const asked = this.#admission.hello(nonce);
    this.#name = name;
    if (asked === undefined) {
      this.#welcome();
      return;
    }
    this.#link.frameBytesMax = this.#admission.frameBytesMax;
    this.#dialect?.challenge(asked);
  }

  proof(proof: Uint8Array): void {
    this.#admission.proof(proof);
    this.#welcome();
  }

  mustBeOpen(): void {
    if (this.#admission.state === 'open') return;
    this.#admission.begin(this.#dialect?.helloFirst !== false);
    this.#opened();
  }

  failed(error: unknown): void {
    if (error instanceof ProtocolError) this.#receiveFailed(error);
    else this.close('internal_error', error instanceof Error ? error : new Error(String(error)));
  }

  dropped(error: ProtocolError): void {
    this.#shared.droppedInPart(this, error);
  }

  #receive(firstByte: number, bytes: Uint8Array, start: number, end: number): void {
    this.#dialect ??= this.#createDialect(firstByte);
    const dialect = this.#dialect;
    if (dialect === undefined) return;
    try {
      if (dialectOf(firstByte) === dialect.name) dialect.receive(bytes, start, end);
      else {
        dialect.receivedAll();
        const sentence = `This session speaks ${dialect.name}; that does not change.`;
        throw new ProtocolError('unknown_dialect', sentence);
      }
    } catch (error) {
      this.#receiveFailed(error);
    }
  }

  #createDialect(firstByte: number): Dialect | undefined {
    const dialect = dialectOf(firstByte);
    if (dialect === 'native') return new NativeDialect(this.#requests);
    if (dialect === 'json') return new JsonDialect(this.#requests, this.#shared.json);
    if (dialect === 'php' && this.#isLocal) return new PhpDialect(this.#requests, this.#shared.php);
    // Not a word to a PHP peer: a frame that it did not ask for ends its process.
    if (dialect === 'php') this.close('untrusted', new ProtocolError('unauthorized', UNTRUSTED));
    else this.close('unknown_dialect');
    return undefined;
  }

  #receiveFailed(error: unknown): void {
    const dialect = this.#dialect;
    if (!(error instanceof ProtocolError) || dialect === undefined) throw error;
    const isLost = error.code === 'unknown_dialect';
    if (dialect.strict || this.#admission.mustProve || isLost) this.#fail(dialect, error);
    else this.#requests.refuse(undefined, error);
  }

  /** The last that the peer hears. */
  #fail(dialect: Dialect, error: ProtocolError): void {
    dialect.error(undefined, error);
    this.close(error.code, error);
  }

  #welcome(): void {
    const { heartbeatMs, frameBytesMax } = this.#shared.options;
    this.#dialect?.welcome(heartbeatMs, frameBytesMax);
    if (this.#dialect?.heartbeats) this.#link.startHeartbeats(heartbeatMs);
    this.#opened();
  }

  #opened(): void {
    this.#link.frameBytesMax = this.#admission.frameBytesMax;
    this.#shared.opened(this);
  }

  #destroy(end: SessionEnd): void {
    if (this.#end === undefined) this.#leave(end);
    this.#link.destroy();
  }

  #reasonOf(end: LinkEnd, error: Error | undefined): SessionEnd {
    if (end === 'protocol_error' && error instanceof ProtocolError) return error.code;
    return end === 'peer_closed' && this.#wasAskedToLeave ? 'drained' : end;
  }

  /** Out of everything that the hub shares, at once: the socket may take a moment to close. */
  #leave(end: SessionEnd): void {
    this.#end = end;
    this.#admission.close();
    this.#requests.leave();
    this.#dialect?.ended();
  }
}
