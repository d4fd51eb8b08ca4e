import { totalmem } from 'node:os';
import { completeLinkOptions, HEARTBEAT_MS, type LinkOptions } from '@groupcast/link';
import {
  bytesWithin,
  isChannelName,
  limits,
  OPTION_BYTES_MAX,
  OptionError,
  type OptionRanges,
  resolveOptions,
  TIMER_MS_MAX,
} from '@groupcast/protocol';
import { type Log, SILENT_LOG } from '@groupcast/service';
import type { Engine } from './engine/engine.ts';
import { MemoryEngine } from './engine/memory/memory-engine.ts';
import { isNetwork } from './listen/trusted-addresses.ts';
import type { UnixSocket } from './listen/unix-listener.ts';
import { secretsOf } from './peer/secrets.ts';
import { QUEUE_DEFAULTS, QUEUE_RANGES, type QueueLimits } from './queue/queue-limits.ts';

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
  /** Shared with the peers, who must prove that they know one of them. Default none: only loopback is listened on. */
  readonly secret: readonly string[];
  /** Makes links TLS. Default undefined: they are plain TCP. */
  readonly tls: HubTls | undefined;
  /** Listen on any address without a secret. Default false. */
  readonly insecure: boolean;
  /** Listen on a Unix socket, too. Default undefined: on none. */
  readonly unixSocket: UnixSocket | undefined;
  /**
   * Whether peers on loopback and on the Unix socket may speak PHP, and JSON without a proof. False is for hosts that others use, too;
   * it needs a secret. Default true.
   */
  readonly localTrust: boolean;
  /** Addresses, or networks as `10.1.0.0/16`, whose peers are trusted with the same. Default none. */
  readonly trust: readonly string[];
  /** Events of PHP peers whose data, `['group_id' => …, 'message' => …]`, are messages to groups. Default `send_to_group`. */
  readonly phpBridge: readonly string[];
  /** When a PHP consumer's item is done: at its next `reserve` (at least once), or at delivery (at most once). Default reserve. */
  readonly phpAck: 'reserve' | 'delivery';
  /** Carries the publications. It belongs to the hub, which starts and closes it. Default: a MemoryEngine. */
  readonly engine: Engine;
  readonly log: Log;
  /** Longest frame taken, in bytes, header included. Default 10 MiB. */
  readonly frameBytesMax: number;
  /** Subjects of one session. Default 100,000. */
  readonly channelsPerPeerMax: number;
  /**
   * Maximum number of sessions. When full, the oldest unauthenticated one is closed; if there is none, the new one is. Above half,
   * local peers have `authenticationMs` for their first request. Must be below the limit of open files. Default 10,000.
   */
  readonly peersMax: number;
  /** Peers of one address that have not proved yet who they are; beyond them the oldest goes. Default 64. */
  readonly pendingPerAddressMax: number;
  /** Peers in the TLS handshake, beside the sessions; beyond them the oldest is closed. Default 256. */
  readonly tlsHandshakesMax: number;
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
export type HubOptionsInput = Partial<Omit<HubOptions, 'link' | 'queues' | 'secret'>> & {
  /** One, or two while one takes the place of the other; '' is none. */
  readonly secret?: string | readonly string[];
  readonly queues?: Partial<QueueLimits>;
  readonly link?: Partial<HubOptions['link']>;
};

export const HUB_RANGES: OptionRanges<HubOptions> = {
  port: { min: 0, max: 65_535, unit: 'TCP port' },
  // The longest HELLO must fit.
  frameBytesMax: { min: 512, max: limits.FRAME_BYTES_CEILING, unit: 'bytes' },
  channelsPerPeerMax: { min: 1, max: 10_000_000, unit: 'channels' },
  peersMax: { min: 1, max: 1_000_000, unit: 'peers' },
  pendingPerAddressMax: { min: 1, max: 1_000_000, unit: 'peers' },
  tlsHandshakesMax: { min: 1, max: 1_000_000, unit: 'peers' },
  authenticationMs: { min: 1, max: TIMER_MS_MAX, unit: 'milliseconds' },
  heartbeatMs: { min: 1, max: 300_000, unit: 'milliseconds' },
  outputBytesMax: { min: 1, max: OPTION_BYTES_MAX, unit: 'bytes' },
  outputCheckMs: { min: 1, max: TIMER_MS_MAX, unit: 'milliseconds' },
};

const OWNER = 'createHub';

/** Default for the peers in the TLS handshake: at 200 silent new ones a second, others have a second. */
export const TLS_HANDSHAKES_MAX = 256;

/** The part of the memory that may wait for slow readers. */
const OUTPUT_SHARE = 0.25;

/** Fills in the defaults. Throws OptionError `bad_option` for options that a hub cannot run with. */
export function completeOptions({ link, queues, secret, ...input }: HubOptionsInput): HubOptions {
  const completeLink = completeLinkOptions(link ?? {}, OWNER, 'link.');
  const defaults: HubOptions = {
    host: '127.0.0.1',
    port: 2206,
    secret: secretsOf(OWNER, secret),
    tls: undefined,
    insecure: false,
    unixSocket: undefined,
    localTrust: true,
    trust: [],
    phpBridge: ['send_to_group'],
    phpAck: 'reserve',
    log: SILENT_LOG,
    frameBytesMax: limits.FRAME_BYTES_MAX,
    channelsPerPeerMax: limits.CHANNELS_PER_PEER_MAX,
    peersMax: 10_000,
    pendingPerAddressMax: 64,
    tlsHandshakesMax: TLS_HANDSHAKES_MAX,
    authenticationMs: 10_000,
    heartbeatMs: Math.max(HEARTBEAT_MS, completeLink.tickMs),
    outputBytesMax: Math.floor(memoryBytes() * OUTPUT_SHARE),
    outputCheckMs: 100,
    engine: input.engine ?? new MemoryEngine(),
    queues: completeQueueLimits(queues ?? {}),
    link: completeLink,
  };
  const options = resolveOptions(OWNER, defaults, HUB_RANGES, input);
  checkHubOptions(options);
  return options;
}

function completeQueueLimits(given: Partial<QueueLimits>): QueueLimits {
  const complete = resolveOptions(OWNER, QUEUE_DEFAULTS, QUEUE_RANGES, given, 'queues.');
  const bytesMax = bytesWithin(
    OWNER,
    { name: 'queues.bytesMax', bytes: complete.bytesMax, isGiven: given.bytesMax !== undefined },
    { name: 'queues.totalBytesMax', bytes: complete.totalBytesMax },
  );
  return { ...complete, bytesMax };
}

/** Checks what is no number, and options against each other. Throws OptionError `bad_option`. */
function checkHubOptions(options: HubOptions): void {
  const { host, secret, tls, unixSocket, localTrust, trust, phpBridge, phpAck, heartbeatMs, link } = options;
  const refuse = (option: string, problem: string): never => {
    throw new OptionError(OWNER, option, problem);
  };
  if (host === '') refuse('host', 'is empty. Give an address, such as 127.0.0.1, or 0.0.0.0 for all');
  if (tls !== undefined && !(tls.cert && tls.key))
    refuse('tls', 'needs cert and key. Give both as PEM texts');
  if (unixSocket !== undefined && !isUnixSocket(unixSocket)) {
    refuse('unixSocket', 'must have the path of a file, and a mode from 0 to 0o777');
  }
  if (!localTrust && secret.length === 0) {
    refuse('localTrust', 'is false, and there is no secret that peers could prove. Give a secret');
  }
  if (!trust.every(isNetwork)) refuse('trust', 'must hold addresses or networks, such as 10.1.0.0/16');
  if (!phpBridge.every(isChannelName)) refuse('phpBridge', 'must hold names of events');
  if (phpAck !== 'reserve' && phpAck !== 'delivery') refuse('phpAck', 'must be reserve or delivery');
  // Silence is counted in ticks: within one, a peer that is well would be taken for gone.
  if (heartbeatMs < link.tickMs) {
    refuse('heartbeatMs', `is ${heartbeatMs}, which is below link.tickMs. Give at least ${link.tickMs}`);
  }
}

function isUnixSocket({ path, mode }: UnixSocket): boolean {
  return typeof path === 'string' && path !== '' && Number.isInteger(mode) && mode >= 0 && mode <= 0o777;
}

/** What this process may use: less than the machine has, in a container. */
function memoryBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}
