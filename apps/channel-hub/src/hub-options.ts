import { totalmem } from 'node:os';
import { HEARTBEAT_MS, LINK_DEFAULTS, type LinkOptions } from '@groupcast/link';
import { limits } from '@groupcast/protocol';
import { type Log, SILENT_LOG } from '@groupcast/service';
import type { Engine } from './engine/engine.ts';
import { MemoryEngine } from './engine/memory-engine.ts';
import { QUEUE_DEFAULTS, type QueueLimits } from './queue/queue-limits.ts';
import type { UnixSocket } from './unix-listener.ts';

/** TLS of a hub, as PEM texts. */
export interface HubTls {
  /** The hub's certificate, with the chain behind it. */
  readonly cert: string;
  readonly key: string;
  /** Certificates that those of peers must be signed by. With it a peer without one is refused, and no secret is needed. */
  readonly ca?: string;
}

/** What a hub can be told. All have defaults. */
export interface HubOptions {
  /** Address to listen on. Default 127.0.0.1. */
  readonly host: string;
  /** TCP port, 0 for any that is free. Default 2206. */
  readonly port: number;
  /** Shared with the peers, who must prove that they know it. Default '': there is none, and only loopback is listened on. */
  readonly secret: string;
  /** Makes links TLS. Default undefined: they are plain TCP. */
  readonly tls: HubTls | undefined;
  /** Listen on any address without a secret. Default false. */
  readonly insecure: boolean;
  /** Listen on a Unix socket, too. Default undefined: on none. */
  readonly unixSocket: UnixSocket | undefined;
  /** Addresses, or networks as `10.1.0.0/16`, whose peers are taken as if they were on this host. Default none. */
  readonly trust: readonly string[];
  /** Events of PHP peers whose data, `['group_id' => …, 'message' => …]`, are messages to groups. Default `send_to_group`. */
  readonly phpBridge: readonly string[];
  /** What makes an item of a queue done that a PHP peer was handed: its next `reserve`, or that it was handed out. Default reserve. */
  readonly phpAck: 'reserve' | 'delivery';
  /** Carries the publications. It belongs to the hub, which starts and closes it. Default: a MemoryEngine. */
  readonly engine: Engine;
  readonly log: Log;
  /** Longest frame taken, in bytes, header included. Default 10 MiB. */
  readonly frameBytesMax: number;
  /** Subjects of one session. Default 100,000. */
  readonly channelsPerSessionMax: number;
  /** Sessions at a time; more are dropped. Must be below the limit of open files. Default 10,000. */
  readonly sessionsMax: number;
  /** Peers of one address that have not proved yet who they are. Default 64. */
  readonly pendingPerAddressMax: number;
  /** How long a peer may take to prove who it is, in milliseconds. Default 10,000. */
  readonly authenticationMs: number;
  /** Something is sent to native peers, and expected of them, at least this often, in milliseconds. Default 5,000. */
  readonly heartbeatMs: number;
  /** Bytes that may wait for all peers together; above, the one with the longest queue is closed. Default a quarter of the memory. */
  readonly outputBytesMax: number;
  /** How often the output is looked at, and for how long publishers pause when it is large, in milliseconds. Default 100. */
  readonly outputCheckMs: number;
  /** Bounds and times of queues. */
  readonly queues: QueueLimits;
  /** Bounds of each link. `frameBytesMax` is the one above. */
  readonly link: Omit<LinkOptions, 'frameBytesMax'>;
}

/** Options as they are given: none is needed, and of `link` and `queues` any may be. */
export type HubOptionsInput = Partial<Omit<HubOptions, 'link' | 'queues'>> & {
  readonly queues?: Partial<QueueLimits>;
  readonly link?: Partial<HubOptions['link']>;
};

/** The part of the memory that may wait for slow readers. */
const OUTPUT_SHARE = 0.25;

/** Fills in the defaults. */
export function completeOptions(input: HubOptionsInput): HubOptions {
  return {
    host: '127.0.0.1',
    port: 2206,
    secret: '',
    tls: undefined,
    insecure: false,
    unixSocket: undefined,
    trust: [],
    phpBridge: ['send_to_group'],
    phpAck: 'reserve',
    log: SILENT_LOG,
    frameBytesMax: limits.FRAME_BYTES_MAX,
    channelsPerSessionMax: limits.CHANNELS_PER_SESSION_MAX,
    sessionsMax: 10_000,
    pendingPerAddressMax: 64,
    authenticationMs: 10_000,
    heartbeatMs: HEARTBEAT_MS,
    outputBytesMax: Math.floor(memoryBytes() * OUTPUT_SHARE),
    outputCheckMs: 100,
    ...input,
    engine: input.engine ?? new MemoryEngine(),
    queues: { ...QUEUE_DEFAULTS, ...input.queues },
    link: { ...LINK_DEFAULTS, ...input.link },
  };
}

/** What this process may use: less than the machine has, in a container. */
function memoryBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}
