import type { Socket } from 'node:net';
import { Link, type LinkEnd, type LinkReceiver } from '@groupcast/link';
import { dialectOf, limits, type native, ProtocolError } from '@groupcast/protocol';
import { formatAddress } from '@groupcast/service';
import type { PeerDialect, Requests } from '../dialect/dialect.ts';
import { JsonDialect } from '../dialect/json/dialect.ts';
import { NativeDialect } from '../dialect/native/dialect.ts';
import { PhpDialect } from '../dialect/php/dialect.ts';
import type { Drainable } from '../drain.ts';
import type { HistoryQuery, HistorySlot, PublishSlot } from '../engine/engine.ts';
import type { BufferedPeer } from '../output-budget.ts';
import { QueuePeer } from '../queue/queue-peer.ts';
import type { RequestId } from '../routing/subscriber.ts';
import { Admission } from './admission.ts';
import { reportingBans } from './ban-change.ts';
import { LongRequest } from './long-request.ts';
import type { PeerDeps, PeerEvents } from './peer-deps.ts';
import { isEndByPeer, type PeerEnd } from './peer-end.ts';
import { PeerOutput } from './peer-output.ts';
import type { PeerRow } from './peer-row.ts';
import { PeerSubscriptions } from './peer-subscriptions.ts';
import { systemChannelError } from './system-names.ts';

const BODY_AT = limits.FRAME_HEADER_BYTES;

/** The body `0` is a keep-alive, as an empty one is. */
const KEEP_ALIVE = 0x30;

/** Cost of reading a frame beside its bytes, in bytes. */
const FRAME_WORK_BYTES = 256;

const UNTRUSTED =
  'PHP is accepted from this host, unless --no-local-trust is given, and from --trust addresses.';

/**
 * One peer: its link, its admission and its dialect, which its first frame that is no keep-alive
 * fixes.
 */
export class Peer implements LinkReceiver, Requests, BufferedPeer, Drainable {
  readonly id: number;
  readonly output: PeerOutput;
  readonly queues: QueuePeer;
  readonly #deps: PeerDeps;
  readonly #events: PeerEvents;
  readonly #isLocal: boolean;
  readonly #address: string;
  readonly #port: number;
  readonly #admission: Admission;
  readonly #link: Link;
  readonly #subscriptions: PeerSubscriptions;
  readonly #longRequest: LongRequest;
  readonly #loggedDrops = new Set<string>();
  #dialect: PeerDialect | undefined;
  #name = '';
  #end: PeerEnd | undefined;
  #wasAskedToLeave = false;
  #received = 0;
  #receivedBefore = 0;

  /** `isLocal`: the peer is on a trusted host, such as this one by default. */
  constructor(id: number, socket: Socket, isLocal: boolean, deps: PeerDeps, events: PeerEvents) {
    const { options, router, queues } = deps;
    this.id = id;
    this.#deps = deps;
    this.#events = events;
    this.#isLocal = isLocal;
    this.#address = socket.remoteAddress ?? '';
    this.#port = socket.remotePort ?? 0;
    const failures = {
      late: () => this.close('late'),
      tooManyPending: () => this.#destroy('too_many_pending'),
    };
    this.#admission = new Admission(deps, failures, this.#address, isLocal);
    const { frameBytesMax } = this.#admission;
    const link = new Link(socket, this, { ...options.link, frameBytesMax });
    this.#link = link;
    this.output = new PeerOutput(link, router, deps.sent);
    this.#subscriptions = new PeerSubscriptions(deps, this.output, (...args) => this.reject(...args));
    this.queues = new QueuePeer(queues, this, options.frameBytesMax);
    this.#longRequest = new LongRequest(
      link,
      () => router.work,
      (error) => this.#longRequestFailed(error),
    );
    // A local publisher may connect early and be silent until it publishes.
    if (!isLocal) this.#admission.startDeadline();
  }

  get bufferedBytes(): number {
    return this.#link.bufferedBytes;
  }

  /** Whether the secret that the peer proved is no longer accepted. */
  get hasOldSecret(): boolean {
    const { secret } = this.#admission;
    return secret !== undefined && !this.#deps.secrets.has(secret);
  }

  row(): PeerRow {
    return {
      id: this.id,
      name: this.#name,
      address: this.#address === '' ? 'unix socket' : formatAddress(this.#address, this.#port),
      dialect: this.#dialect?.name,
      state: this.#admission.state,
      subscriptions: this.#subscriptions.count,
      received: this.#received,
      delivered: this.output.delivered,
      bufferedBytes: this.#link.bufferedBytes,
    };
  }

  hasPublished(): boolean {
    const before = this.#receivedBefore;
    this.#receivedBefore = this.#received;
    return this.#receivedBefore > before;
  }

  pause(): void {
    this.#longRequest.pause();
  }

  resume(): void {
    this.#longRequest.resume();
  }

  /** Sends what is buffered, then closes. */
  close(end: PeerEnd, error?: Error): void {
    if (this.#end !== undefined) return;
    this.#leave(end);
    this.#link.close('closed', error);
  }

  askToLeave(reconnectAfterMs: number): boolean {
    if (this.#admission.state !== 'open') return false;
    this.#wasAskedToLeave = this.#dialect?.goaway(reconnectAfterMs) ?? false;
    return this.#wasAskedToLeave;
  }

  evict(): void {
    this.#destroy('evicted');
  }

  receiveSpan(bytes: Uint8Array, start: number, end: number): number {
    const { router } = this.#deps;
    const before = router.work;
    const firstByte = bytes[start + BODY_AT];
    const isKeepAlive = firstByte === KEEP_ALIVE && end - start === BODY_AT + 1;
    if (firstByte !== undefined && !isKeepAlive) this.#receive(firstByte, bytes, start, end);
    return end - start + FRAME_WORK_BYTES + router.work - before;
  }

  receivedAll(): number {
    const { router } = this.#deps;
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
    this.#events.ended(this.#end ?? end, error);
  }

  hello(nonce: Uint8Array, name: string): void {
    const challenge = this.#admission.hello(nonce);
    this.#name = name;
    if (challenge === undefined) {
      this.#welcome();
      return;
    }
    this.#link.frameBytesMax = this.#admission.frameBytesMax;
    this.#dialect?.challenge(challenge);
  }

  proof(proof: Uint8Array): void {
    this.#admission.proof(proof);
    this.#welcome();
  }

  ensureOpen(): void {
    if (this.#admission.state === 'open') return;
    this.#admission.begin(this.#dialect?.helloFirst !== false);
    this.#opened();
  }

  subscribe(request: RequestId, subjects: readonly native.Subject[]): void {
    this.ensureOpen();
    this.#subscriptions.subscribe(request, subjects, this.#mayUseSystemChannels);
  }

  unsubscribe(subjects: readonly native.Subject[]): void {
    this.ensureOpen();
    this.#subscriptions.unsubscribe(subjects);
  }

  publish(publication: native.Publication, frame: Uint8Array, slot: PublishSlot, request: number): void {
    this.ensureOpen();
    this.#received += 1;
    const answered = reportingBans(publication, slot, request, this.#events.banChanged);
    this.#deps.router.publish(publication, frame, answered, request);
  }

  publishRun(bytes: Uint8Array, start: number, end: number, count: number, slot: PublishSlot): void {
    this.ensureOpen();
    this.#received += count;
    this.#deps.sent(this.#deps.router.publishRun(bytes, start, end, count, slot));
  }

  history(query: HistoryQuery, slot: HistorySlot, request: number): void {
    this.ensureOpen();
    const error = this.systemChannelError([query.channel]);
    if (error === undefined) this.#deps.router.history(query, slot, request);
    else slot.historyRejected(request, error);
  }

  systemChannelError(channels: readonly string[]): ProtocolError | undefined {
    return this.#mayUseSystemChannels ? undefined : systemChannelError(channels);
  }

  inPieces(doPiece: () => boolean): void {
    this.#longRequest.begin(doPiece);
  }

  reject(request: RequestId, error: ProtocolError): void {
    this.#deps.rejected(error);
    this.#dialect?.error(request, error);
  }

  countRejection(error: ProtocolError): void {
    this.#deps.rejected(error);
  }

  drop(error: ProtocolError): void {
    this.#deps.rejected(error);
    if (this.#loggedDrops.has(error.message)) return;
    this.#loggedDrops.add(error.message);
    this.#events.droppedInPart(error);
  }

  countReceived(): void {
    this.#received += 1;
  }

  countSkipped(): void {
    this.#deps.counts.skippedFrames += 1;
  }

  countLossy(count: number): void {
    this.#deps.php.counts.lossy += count;
  }

  /** A peer whose dialect begins with hello is open only after its proof, if there is a secret. */
  get #mayUseSystemChannels(): boolean {
    return this.#admission.secret !== undefined || this.#dialect?.helloFirst === true;
  }

  #receive(firstByte: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.#dialect === undefined) {
      this.#dialect = this.#createDialect(firstByte);
      this.#subscriptions.dialect = this.#dialect;
    }
    const dialect = this.#dialect;
    if (dialect === undefined) return;
    try {
      if (dialectOf(firstByte) === dialect.name) dialect.receive(bytes, start, end);
      else {
        dialect.receivedAll();
        const sentence = `This connection speaks ${dialect.name} and cannot change its dialect.`;
        throw new ProtocolError('unknown_dialect', sentence);
      }
    } catch (error) {
      this.#receiveFailed(error);
    }
  }

  #createDialect(firstByte: number): PeerDialect | undefined {
    const dialect = dialectOf(firstByte);
    if (dialect === 'native') return new NativeDialect(this, this.#deps.options.frameBytesMax);
    if (dialect === 'json') return new JsonDialect(this, this.#deps.json);
    if (dialect === 'php' && this.#isLocal) return new PhpDialect(this, this.#deps.php);
    // No error frame to a PHP peer: a frame that it did not ask for ends its process.
    if (dialect === 'php') this.close('untrusted', new ProtocolError('unauthorized', UNTRUSTED));
    else this.close('unknown_dialect');
    return undefined;
  }

  #receiveFailed(error: unknown): void {
    const dialect = this.#dialect;
    if (!(error instanceof ProtocolError) || dialect === undefined) throw error;
    const isFatal = dialect.strict || this.#admission.mustProve || error.code === 'unknown_dialect';
    if (!isFatal) {
      this.reject(undefined, error);
      return;
    }
    dialect.error(undefined, error);
    this.close(error.code, error);
  }

  #longRequestFailed(error: unknown): void {
    if (error instanceof ProtocolError) this.#receiveFailed(error);
    else this.close('internal_error', error instanceof Error ? error : new Error(String(error)));
  }

  #welcome(): void {
    const { heartbeatMs, frameBytesMax } = this.#deps.options;
    this.#dialect?.welcome(heartbeatMs, frameBytesMax);
    if (this.#dialect?.heartbeats) this.#link.startHeartbeats(heartbeatMs);
    this.#opened();
  }

  #opened(): void {
    this.#link.frameBytesMax = this.#admission.frameBytesMax;
    this.#events.opened();
  }

  #destroy(end: PeerEnd): void {
    if (this.#end === undefined) this.#leave(end);
    this.#link.destroy();
  }

  #reasonOf(end: LinkEnd, error: Error | undefined): PeerEnd {
    if (end === 'protocol_error' && error instanceof ProtocolError) return error.code;
    if (!isEndByPeer(end, error)) return end;
    return this.#wasAskedToLeave ? 'drained' : 'peer_closed';
  }

  /** Removes the peer from all shared state at once, as the socket may take a while to close. */
  #leave(end: PeerEnd): void {
    this.#end = end;
    this.#admission.close();
    this.#longRequest.end();
    this.#subscriptions.end();
    this.queues.close();
    this.#dialect?.ended();
  }
}
