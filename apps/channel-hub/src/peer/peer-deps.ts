import type { ProtocolError } from '@groupcast/protocol';
import type { JsonDeps } from '../dialect/json/dialect.ts';
import { JsonEvents } from '../dialect/json/events.ts';
import { createPhpDeps, type PhpDeps } from '../dialect/php/deps.ts';
import { PendingPeers } from '../listen/pending-peers.ts';
import type { HubOptions } from '../options.ts';
import { WorkQueues } from '../queue/work-queues.ts';
import { Router } from '../routing/router.ts';
import type { AdmissionDeps } from './admission.ts';
import type { BanChange } from './ban-change.ts';
import type { PeerCounts } from './peer-counts.ts';
import type { PeerEnd } from './peer-end.ts';
import { Secrets } from './secrets.ts';

/** Counters of the hub that its peers add to. */
export interface PeerCounters {
  /** A request was rejected, and the peer stays connected. */
  rejected(error: ProtocolError): void;
  /** `bytes` bytes were sent by other ways than the engine's sink. */
  sent(bytes: number): void;
}

/** Events of one peer. */
export interface PeerEvents {
  /** The peer may make requests. */
  opened(): void;
  /** Part of a request was dropped without an answer. Called once for each distinct message. */
  droppedInPart(error: ProtocolError): void;
  /** The peer has changed a ban. */
  readonly banChanged: (change: BanChange) => void;
  /** The socket is closed. Called once. */
  ended(end: PeerEnd, error: Error | undefined): void;
}

/** The parts of a hub that its peers share. */
export interface PeerDeps extends AdmissionDeps, PeerCounters {
  readonly options: HubOptions;
  readonly router: Router;
  readonly queues: WorkQueues;
  readonly json: JsonDeps;
  readonly php: PhpDeps;
  readonly counts: PeerCounts;
}

export function createPeerDeps(options: HubOptions, counters: PeerCounters): PeerDeps {
  const { engine, frameBytesMax, pendingPerAddressMax } = options;
  return {
    options,
    router: new Router(engine),
    queues: new WorkQueues(options.queues),
    secrets: new Secrets(options.secret),
    pendingPeers: new PendingPeers(pendingPerAddressMax),
    json: { events: new JsonEvents(frameBytesMax), frameBytesMax },
    php: createPhpDeps(options),
    counts: { ephemeralDropped: 0, skippedFrames: 0 },
    ...counters,
  };
}
