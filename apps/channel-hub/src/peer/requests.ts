import type { Link } from '@groupcast/link';
import { type native, type Position, ProtocolError } from '@groupcast/protocol';
import type { Dialect } from '../dialect/dialect.ts';
import type { PhpRequests } from '../dialect/php/dialect.ts';
import type { HistorySlot, PublishSlot } from '../engine/engine.ts';
import { QueuePeer } from '../queue/queue-peer.ts';
import type { RequestId, Subscriber } from '../routing/subscriber.ts';
import { LongRequest } from './long-request.ts';
import type { SessionShared } from './peer-deps.ts';
import type { SessionEnd } from './peer-end.ts';
import { SubscribeBatch } from './subscribe-batch.ts';

/** Whose requests they are. */
export interface RequestsOwner {
  /** The peer's number. */
  readonly id: number;
  /** What answers are written in; requests come from nowhere else. */
  readonly dialect: Dialect | undefined;
  hello(nonce: Uint8Array, name: string): void;
  proof(proof: Uint8Array): void;
  /** Throws ProtocolError when the peer may make no requests. */
  mustBeOpen(): void;
  close(end: SessionEnd, error: Error): void;
  /** A request threw when it was not read any more. */
  failed(error: unknown): void;
  /** Part of a request was not done, and the peer cannot be told. */
  dropped(error: ProtocolError): void;
}

/** What one peer asks for, and what it gets for it. */
export class SessionRequests implements PhpRequests, Subscriber {
  readonly queues: QueuePeer;
  readonly #owner: RequestsOwner;
  readonly #link: Link;
  readonly #shared: SessionShared;
  readonly #batch = new SubscribeBatch((request, entries) =>
    this.#owner.dialect?.subscribed(request, entries),
  );
  readonly #longRequest: LongRequest;
  /** Sentences that its operator has read. */
  readonly #dropped = new Set<string>();
  #received = 0;
  #delivered = 0;

  constructor(owner: RequestsOwner, link: Link, shared: SessionShared) {
    this.#owner = owner;
    this.#link = link;
    this.#shared = shared;
    this.#longRequest = new LongRequest({
      pause: () => link.pause(),
      resume: () => link.resume(),
      get work() {
        return shared.router.work;
      },
      failed: (error) => owner.failed(error),
    });
    this.queues = new QueuePeer(shared.queues, this, shared.options.frameBytesMax);
  }

  /** Publications and items that came from the peer. */
  get received(): number {
    return this.#received;
  }

  /** Publications and items that were sent to it. */
  get delivered(): number {
    return this.#delivered;
  }

  get peer(): number {
    return this.#owner.id;
  }

  get takesRuns(): boolean {
    return this.#owner.dialect?.takesRuns ?? false;
  }

  hello(nonce: Uint8Array, name: string): void {
    this.#owner.hello(nonce, name);
  }

  proof(proof: Uint8Array): void {
    this.#owner.proof(proof);
  }

  begin(): void {
    this.#owner.mustBeOpen();
  }

  countReceived(): void {
    this.#received += 1;
  }

  inPieces(doPiece: () => boolean): void {
    this.#longRequest.begin(doPiece);
  }

  /** Reads nothing from the peer, and does nothing of a long request, until `resume`. */
  pause(): void {
    this.#longRequest.pause();
  }

  resume(): void {
    this.#longRequest.resume();
  }

  subscribe(request: RequestId, subjects: readonly native.Subject[]): void {
    this.#owner.mustBeOpen();
    const { options, router } = this.#shared;
    if (!router.hasRoomFor(this, subjects, options.channelsPerPeerMax)) {
      const sentence = `A session follows at most ${options.channelsPerPeerMax} channels. Nothing was subscribed.`;
      this.refuse(request, new ProtocolError('channel_limit', sentence));
      return;
    }
    this.#batch.run(request, () => {
      for (const subject of subjects) router.subscribe(subject, this, request);
    });
  }

  subscribed(subject: native.Subject, position: Position, request: RequestId): void {
    this.#batch.add(request, { ...subject, position });
  }

  notSubscribed(_subject: native.Subject, error: ProtocolError, request: RequestId): void {
    this.refuse(request, error);
  }

  unsubscribe(subjects: readonly native.Subject[]): void {
    this.#owner.mustBeOpen();
    for (const subject of subjects) this.#shared.router.unsubscribe(subject, this);
  }

  publish(publication: native.Publication, frame: Uint8Array, slot: PublishSlot, request: number): void {
    this.#owner.mustBeOpen();
    this.#received += 1;
    this.#shared.router.publish(publication, frame, slot, request);
  }

  publishRun(bytes: Uint8Array, start: number, end: number, count: number, slot: PublishSlot): void {
    this.#owner.mustBeOpen();
    this.#received += count;
    this.#shared.handedOut(this.#shared.router.publishRun(bytes, start, end, count, slot));
  }

  history(channel: string, since: Position, slot: HistorySlot, request: number): void {
    this.#owner.mustBeOpen();
    this.#shared.router.history(channel, since, slot, request);
  }

  deliver(frame: Uint8Array): void {
    this.#batch.flush();
    this.#delivered += 1;
    this.#owner.dialect?.deliver(frame);
  }

  deliverRun(frames: Uint8Array, count: number): void {
    this.#batch.flush();
    this.#delivered += count;
    this.#link.send(frames);
  }

  send(frame: Uint8Array, key?: string): void {
    this.#link.send(frame, key);
  }

  sendToOne(frame: Uint8Array, key?: string): void {
    this.#delivered += 1;
    this.#link.send(frame, key);
    this.#shared.router.worked(frame.length);
    this.#shared.handedOut(frame.length);
  }

  sendPage(header: Uint8Array, frames: readonly Uint8Array[]): void {
    let bytes = header.length;
    this.#link.send(header);
    for (const frame of frames) {
      bytes += frame.length;
      this.#link.send(frame);
    }
    this.#shared.router.worked(bytes, 1 + frames.length);
    this.#delivered += frames.length;
    this.#shared.handedOut(bytes);
  }

  holdBack(): void {
    this.#link.allowRecall();
  }

  recall(key: string): number {
    return this.#link.recall(key);
  }

  refuse(request: RequestId, error: ProtocolError): void {
    this.#shared.refused(error);
    this.#owner.dialect?.error(request, error);
  }

  countRefusal(error: ProtocolError): void {
    this.#shared.refused(error);
  }

  drop(error: ProtocolError): void {
    this.#shared.refused(error);
    if (this.#dropped.has(error.message)) return;
    this.#dropped.add(error.message);
    this.#owner.dropped(error);
  }

  countLossy(count: number): void {
    this.#shared.php.counts.lossy += count;
  }

  end(error: ProtocolError): void {
    this.#owner.close(error.code, error);
  }

  /** The session is over: out of everything that the hub shares, at once. */
  leave(): void {
    this.#longRequest.end();
    this.#shared.router.remove(this);
    this.queues.close();
  }
}
