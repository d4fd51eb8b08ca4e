import { totalmem } from 'node:os';
import { completeLinkOptions, HEARTBEAT_MS, type LinkOptions } from '@groupcast/link';
import {
  bytesWithin,
  choiceOption,
  flagOption,
  integerOption,
  listOption,
  OPTION_BYTES_MAX,
  type OptionsOf,
  objectOption,
  resolveOptions,
  TIMER_MS_MAX,
  unixPathFault,
  valueOption,
} from '@groupcast/options';
import { isChannelName, isSystemChannel, limits, OptionError } from '@groupcast/protocol';
import type { Namespace } from '@groupcast/protocol/schema';
import { addressesOption, isLoopbackHost, type Log, networksFault, SILENT_LOG } from '@groupcast/service';
import type { Engine } from './engine/engine.ts';
import { MemoryEngine } from './engine/memory/memory-engine.ts';
import type { UnixSocket } from './listen/unix-listener.ts';
import { namespacesFault } from './namespaces.ts';
import { secretsOf } from './peer/secrets.ts';
import { QUEUE_TABLE, type QueueLimits } from './queue/queue-limits.ts';

/** TLS of a hub, as PEM texts. */
export interface HubTls {
  /** The hub's certificate, with the chain behind it. */
  readonly cert: string;
  readonly key: string;
  /**
   * Certificates that those of peers must be signed by. With it a peer without one is rejected, and
   * no secret is needed.
   */
  readonly ca?: string;
}

/**
 * Default for the peers in the TLS handshake: at 200 silent new ones a second, others have a
 * second.
 */
export const TLS_HANDSHAKES_MAX = 256;

/** Part of the memory that may wait for slow readers. */
const OUTPUT_SHARE = 0.25;

/** Options of `createHub` that are flags of `groupcast-hub` as well, with the same values. */
export const SHARED_OPTIONS = {
  host: addressesOption({
    default: ['127.0.0.1'],
    describe: 'Addresses to accept peers on; one that other hosts reach needs --secret-file.',
  }),
  port: integerOption({
    default: 2206,
    min: 0,
    max: 65_535,
    unit: 'TCP port',
    describe: 'Port to accept peers on; 0 chooses a free one.',
  }),
  insecure: flagOption({
    default: false,
    describe: 'Accept any peer on any address without a secret: all groups are then open to the network.',
  }),
  localTrust: flagOption({
    default: true,
    describe: 'Accept PHP, and JSON without a secret, on loopback and the Unix socket. Off: --secret-file.',
  }),
  trust: listOption({
    default: [],
    valueName: 'CIDR',
    describe: 'Addresses and networks (10.1.0.0/16) whose peers are trusted like those on loopback.',
    check: networksFault,
  }),
  phpBridge: listOption({
    default: ['send_to_group'],
    valueName: 'EVENT',
    describe: 'PHP events whose data (group_id, message) are published to that group.',
    check: (events) =>
      events.every((event) => isChannelName(event) && !isSystemChannel(event))
        ? undefined
        : 'names of events that do not begin with $',
  }),
  phpAck: choiceOption({
    default: 'reserve',
    choices: ['reserve', 'delivery'],
    describe: "End of a PHP consumer's item: its next reserve (at least once), or delivery (at most once).",
  }),
  peersMax: integerOption({
    default: 10_000,
    min: 1,
    max: 1_000_000,
    unit: 'peers',
    describe: 'Peers at once; beyond it the oldest unauthenticated one is closed, or else the new one.',
  }),
  channelsPerPeerMax: integerOption({
    default: limits.CHANNELS_PER_PEER_MAX,
    min: 1,
    max: 10_000_000,
    unit: 'channels',
    describe: 'Channels that one peer subscribes to, one per group of a worker; above it channel_limit.',
  }),
  ephemeralBufferBytesMax: integerOption({
    default: 1024 * 1024,
    min: 0,
    max: 1024 * 1024 * 1024,
    unit: 'bytes',
    describe: 'Bytes that may wait for one peer; above it ephemeral publications for it are dropped.',
  }),
};

/** Options of `createHub`, but for the engine, the secrets, the queues and the links. */
export const HUB_TABLE = {
  ...SHARED_OPTIONS,
  /** Makes links TLS. Default undefined: plain TCP. */
  tls: valueOption<HubTls | undefined>({
    default: undefined,
    // An empty `ca` would stand for all public authorities.
    check: (tls) =>
      tls === undefined || (tls?.cert && tls?.key && tls.ca !== '')
        ? undefined
        : 'cert and key, as PEM texts',
  }),
  /** Unix socket to listen on as well. Default undefined: none. */
  unixSocket: valueOption<UnixSocket | undefined>({
    default: undefined,
    check: (socket) => {
      if (socket === undefined) return undefined;
      if (socket === null || !isUnixSocket(socket)) return 'the path of a file, and a mode from 0 to 0o777';
      return unixPathFault(socket.path);
    },
  }),
  /**
   * Rules for groups by the prefix of their names. Default undefined: none, and there cannot be any
   * later.
   */
  namespaces: valueOption<readonly Namespace[] | undefined>({
    default: undefined,
    check: (list) => (list === undefined ? undefined : namespacesFault(list)),
  }),
  /** Log lines go here. Default: nowhere. */
  log: valueOption<Log>({ default: SILENT_LOG }),
  /** Longest frame that is accepted, in bytes, header included. Default 10 MiB. */
  frameBytesMax: integerOption({
    default: limits.FRAME_BYTES_MAX,
    // The longest HELLO must fit.
    min: 512,
    max: limits.FRAME_BYTES_CEILING,
    unit: 'bytes',
  }),
  /** Unauthenticated peers of one address; beyond them the oldest is closed. Default 64. */
  pendingPerAddressMax: integerOption({ default: 64, min: 1, max: 1_000_000, unit: 'peers' }),
  /**
   * Peers in the TLS handshake, beside `peersMax`; beyond them the oldest is closed. Default 256.
   */
  tlsHandshakesMax: integerOption({ default: TLS_HANDSHAKES_MAX, min: 1, max: 1_000_000, unit: 'peers' }),
  /** Time for a peer to authenticate, in milliseconds. Default 10,000. */
  authenticationMs: integerOption({ default: 10_000, min: 1, max: TIMER_MS_MAX, unit: 'milliseconds' }),
  /**
   * Longest silence between the hub and a native peer, in either direction, in milliseconds.
   * Default 5,000.
   */
  heartbeatMs: integerOption({ default: HEARTBEAT_MS, min: 1, max: 300_000, unit: 'milliseconds' }),
  /**
   * Bytes that may wait for all peers together; above it the peer with the longest buffer is
   * closed. Default a quarter of the memory.
   */
  outputBytesMax: integerOption({
    default: Math.floor(memoryBytes() * OUTPUT_SHARE),
    min: 1,
    max: OPTION_BYTES_MAX,
    unit: 'bytes',
  }),
  /**
   * Interval at which the output is checked, and pause of publishers when it is large, in
   * milliseconds. Default 100.
   */
  outputCheckMs: integerOption({ default: 100, min: 1, max: TIMER_MS_MAX, unit: 'milliseconds' }),
};

/** Options of one hub. All have defaults. */
export interface HubOptions extends OptionsOf<typeof HUB_TABLE> {
  /** Secrets of which peers must prove one. Default none: only loopback is listened on. */
  readonly secret: readonly string[];
  /**
   * Carries the publications. It belongs to the hub, which starts and closes it. Default: a
   * MemoryEngine.
   */
  readonly engine: Engine;
  /** Limits and times of queues. */
  readonly queues: QueueLimits;
  /** Limits of each link. `frameBytesMax` is the one above. */
  readonly link: Omit<LinkOptions, 'frameBytesMax'>;
}

/** Options as they are given: all are optional, those of `link` and `queues` included. */
export type HubOptionsInput = Partial<Omit<HubOptions, 'host' | 'link' | 'queues' | 'secret'>> & {
  /** One address, or several. All have the same port. */
  readonly host?: string | readonly string[];
  /** One secret, or two while one replaces the other; '' for no secret. */
  readonly secret?: string | readonly string[];
  readonly queues?: Partial<QueueLimits>;
  readonly link?: Partial<HubOptions['link']>;
};

const OWNER = 'createHub';

/**
 * Fills in the defaults. Throws OptionError `bad_option` for options that a hub cannot run with.
 */
export function completeOptions(input: HubOptionsInput): HubOptions {
  const { host, engine, secret, queues, link, ...given } = input;
  const resolved = resolveOptions(
    OWNER,
    HUB_TABLE,
    host === undefined ? given : { ...given, host: [host].flat() },
  );
  const completeLink = completeLinkOptions(objectOption(OWNER, 'link', link) ?? {}, OWNER, 'link.');
  const options: HubOptions = {
    ...resolved,
    heartbeatMs: given.heartbeatMs ?? Math.max(resolved.heartbeatMs, completeLink.tickMs),
    secret: secretsOf(OWNER, secret),
    engine: objectOption(OWNER, 'engine', engine) ?? new MemoryEngine(),
    queues: completeQueueLimits(objectOption(OWNER, 'queues', queues) ?? {}),
    link: completeLink,
  };
  checkHubOptions(options);
  return options;
}

function completeQueueLimits(given: Partial<QueueLimits>): QueueLimits {
  const complete = resolveOptions(OWNER, QUEUE_TABLE, given, 'queues.');
  const bytesMax = bytesWithin(
    OWNER,
    { name: 'queues.bytesMax', bytes: complete.bytesMax, isGiven: given.bytesMax !== undefined },
    { name: 'queues.totalBytesMax', bytes: complete.totalBytesMax },
  );
  return { ...complete, bytesMax };
}

/** Checks options against each other. Throws OptionError `bad_option`. */
function checkHubOptions({ secret, localTrust, heartbeatMs, link }: HubOptions): void {
  const reject = (option: string, problem: string): never => {
    throw new OptionError(OWNER, option, problem);
  };
  if (!localTrust && secret.length === 0) {
    reject('localTrust', 'is false, and there is no secret that peers could prove. Give a secret');
  }
  // Silence is counted in ticks: within one, a healthy peer would count as silent.
  if (heartbeatMs < link.tickMs) {
    reject('heartbeatMs', `is ${heartbeatMs}, which is below link.tickMs. Give at least ${link.tickMs}`);
  }
}

/**
 * Returns the first address on which a hub would accept any host without a proof, though its
 * options do not say so; `undefined` otherwise.
 */
export function openAddress(
  { host, insecure, tls }: Pick<HubOptions, 'host' | 'insecure' | 'tls'>,
  secrets: number,
): string | undefined {
  if (secrets > 0 || tls?.ca !== undefined || insecure) return undefined;
  return host.find((address) => !isLoopbackHost(address));
}

function isUnixSocket({ path, mode }: UnixSocket): boolean {
  return typeof path === 'string' && path !== '' && Number.isInteger(mode) && mode >= 0 && mode <= 0o777;
}

/** Returns the bytes that this process may use: less than the machine has, in a container. */
function memoryBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}
