import type { ProtocolError } from '@groupcast/protocol';
import type { JsonShared } from '../dialect/json/dialect.ts';
import { JsonEvents } from '../dialect/json/events.ts';
import { noPhpCounts } from '../dialect/php/counts.ts';
import type { PhpShared } from '../dialect/php/dialect.ts';
import { PhpEvents } from '../dialect/php/events.ts';
import { PendingPeers } from '../listen/pending-peers.ts';
import type { HubOptions } from '../options.ts';
import { Turns } from '../queue/round-robin.ts';
import { WorkQueues } from '../queue/work-queues.ts';
import { Router } from '../routing/router.ts';
import type { AdmissionShared } from './admission.ts';
import type { Session } from './peer.ts';
import type { SessionEnd } from './peer-end.ts';
import { Secrets } from './secrets.ts';

/** What the hub hears of its sessions. */
export interface SessionEvents {
  /** The session is open. */
  opened(session: Session): void;
  /** A request was refused, and the session goes on. */
  refused(error: ProtocolError): void;
  /** Part of a request was not done, and its peer cannot be told: once for each sentence. */
  droppedInPart(session: Session, error: ProtocolError): void;
  /** So many bytes were handed out, by other ways than the engine's sink. */
  handedOut(bytes: number): void;
  /** Once, when the socket is closed. */
  ended(session: Session, end: SessionEnd, error: Error | undefined): void;
}

/** What the sessions of a hub share. */
export interface SessionShared extends AdmissionShared, SessionEvents {
  readonly options: HubOptions;
  readonly router: Router;
  readonly queues: WorkQueues;
  readonly json: JsonShared;
  readonly php: PhpShared;
}

export function createSessionShared(options: HubOptions, events: SessionEvents): SessionShared {
  const { channelsPerPeerMax, engine, frameBytesMax, pendingPerAddressMax, phpAck, phpBridge } = options;
  return {
    options,
    router: new Router(engine),
    queues: new WorkQueues(options.queues),
    secrets: new Secrets(options.secret),
    pendingPeers: new PendingPeers(pendingPerAddressMax),
    json: { events: new JsonEvents(frameBytesMax), frameBytesMax },
    php: {
      events: new PhpEvents(),
      turns: new Turns(),
      bridgedEvents: new Set(phpBridge),
      counts: noPhpCounts(),
      channelsPerPeerMax,
      frameBytesMax,
      ackOnDelivery: phpAck === 'delivery',
    },
    ...events,
  };
}
