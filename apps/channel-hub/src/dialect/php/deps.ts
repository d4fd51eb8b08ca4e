import type { HubOptions } from '../../options.ts';
import { RoundRobin } from '../../queue/round-robin.ts';
import { noPhpCounts, type PhpCounts } from './counts.ts';
import { PhpEvents } from './events.ts';

/** One of the peers that take turns in getting the `publishLoop` of an event. */
export interface EventReceiver {
  /** Delivers an event to this peer alone. */
  deliverToOne(event: string, frame: Uint8Array): void;
}

/** The parts of a hub that its PHP peers share. */
export interface PhpDeps {
  readonly events: PhpEvents;
  /** The subscribers of each event, for `publishLoop`. */
  readonly roundRobin: RoundRobin<EventReceiver>;
  /** Events whose data are messages to groups. */
  readonly bridgedEvents: ReadonlySet<string>;
  readonly counts: PhpCounts;
  /** Limit of the subscriptions of one peer. */
  readonly channelsPerPeerMax: number;
  /** Limit of a frame to a peer, in bytes. */
  readonly frameBytesMax: number;
  /** Whether an item of a queue is done when it is delivered: at most once, as in the original. */
  readonly ackOnDelivery: boolean;
}

type PhpOptions = Pick<HubOptions, 'phpBridge' | 'phpAck' | 'channelsPerPeerMax' | 'frameBytesMax'>;

export function createPhpDeps(options: PhpOptions): PhpDeps {
  const { channelsPerPeerMax, frameBytesMax, phpAck, phpBridge } = options;
  return {
    events: new PhpEvents(),
    roundRobin: new RoundRobin(),
    bridgedEvents: new Set(phpBridge),
    counts: noPhpCounts(),
    channelsPerPeerMax,
    frameBytesMax,
    ackOnDelivery: phpAck === 'delivery',
  };
}
