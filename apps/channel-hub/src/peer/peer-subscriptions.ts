import { native, type Position, ProtocolError } from '@groupcast/protocol';
import type { PeerDialect } from '../dialect/dialect.ts';
import type { RequestId, Subscriber } from '../routing/subscriber.ts';
import type { PeerDeps } from './peer-deps.ts';
import type { PeerOutput } from './peer-output.ts';
import { SubscribeBatch } from './subscribe-batch.ts';
import { systemSubjectError } from './system-names.ts';

/** Receives the error of a rejected request. */
type Reject = (request: RequestId, error: ProtocolError) => void;

/** The subscriptions of one peer, and their deliveries. */
export class PeerSubscriptions implements Subscriber {
  /** The dialect of the peer. Undefined before its first frame. */
  dialect: PeerDialect | undefined;
  readonly #deps: PeerDeps;
  readonly #output: PeerOutput;
  readonly #reject: Reject;
  readonly #batch = new SubscribeBatch((request, entries) => this.dialect?.subscribed(request, entries));

  constructor(deps: PeerDeps, output: PeerOutput, reject: Reject) {
    this.#deps = deps;
    this.#output = output;
    this.#reject = reject;
  }

  /** Number of subjects. */
  get count(): number {
    return this.#deps.router.subscriptionCount(this);
  }

  get acceptsRuns(): boolean {
    return this.dialect?.acceptsRuns ?? false;
  }

  subscribe(request: RequestId, subjects: readonly native.Subject[], mayUseSystemChannels: boolean): void {
    const error = systemSubjectError(subjects, mayUseSystemChannels) ?? this.#roomError(subjects);
    if (error !== undefined) {
      this.#reject(request, error);
      return;
    }
    const { router } = this.#deps;
    this.#batch.run(request, () => {
      for (const subject of subjects) router.subscribe(subject, this, request);
    });
  }

  unsubscribe(subjects: readonly native.Subject[]): void {
    for (const subject of subjects) this.#deps.router.unsubscribe(subject, this);
  }

  /** Ends all subscriptions. */
  end(): void {
    this.#deps.router.remove(this);
  }

  deliver(frame: Uint8Array): void {
    this.#batch.flush();
    this.#output.countDelivered(1);
    this.dialect?.deliver(frame);
  }

  deliverEphemeral(frame: Uint8Array): boolean {
    if (!this.dialect?.acceptsEphemeral) return false;
    if (this.#output.bufferedBytes > this.#deps.options.ephemeralBufferBytesMax) {
      this.#deps.counts.ephemeralDropped += 1;
      return false;
    }
    this.deliver(frame);
    return true;
  }

  deliverRun(frames: Uint8Array, count: number): void {
    this.#batch.flush();
    this.#output.countDelivered(count);
    this.#output.send(frames);
  }

  subscribed(subject: native.Subject, position: Position, request: RequestId): void {
    const { name, prefix, epoch } = subject;
    const epochIs = native.compareEpochs(position.epoch, epoch);
    this.#batch.add(request, { name, prefix, position, epochIs });
  }

  subscribeRejected(_subject: native.Subject, error: ProtocolError, request: RequestId): void {
    this.#reject(request, error);
  }

  #roomError(subjects: readonly native.Subject[]): ProtocolError | undefined {
    const { router, options } = this.#deps;
    if (router.hasRoomFor(this, subjects, options.channelsPerPeerMax)) return undefined;
    const sentence = `The limit is ${options.channelsPerPeerMax} channels per peer. Nothing was subscribed.`;
    return new ProtocolError('channel_limit', sentence);
  }
}
