import {
  limits,
  OPTION_BYTES_MAX,
  OptionError,
  type OptionRanges,
  resolveOptions,
  TIMER_MS_MAX,
} from '@groupcast/protocol';
import { type Log, SILENT_LOG } from '@groupcast/service';
import type { HubPort } from './groups/hub-port.ts';
import { TimingWheel } from './timing-wheel.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Everything that a gateway worker can be told. All but `hub` has a default; times below a tick count as one tick. */
export interface GatewayOptions {
  /** The way to the hub. The gateway uses it and does not own it: it neither connects nor closes it. */
  readonly hub: HubPort;
  /** Default: nothing is logged. */
  readonly log: Log;
  /** Address to listen on. Default '0.0.0.0'. */
  readonly host: string;
  /** Port to listen on; 0 takes a free one. Default 1234. */
  readonly port: number;
  /** Whether `GET /` answers with the page for newcomers. Default true. */
  readonly welcomePage: boolean;
  /** The version that the page shows. Default '0.0.0'. */
  readonly version: string;
  /**
   * Origins that browsers may connect from: scheme, host and port, where `*` may be the first label of a host; those of apps too. Default:
   * empty, any, and none is needed.
   */
  readonly allowedOrigins: readonly string[];
  /**
   * Signs the sessions of clients: one that no gateway with this secret has made is ignored. Give all gateways the same, at least 16 bytes.
   * Default '': sessions are not signed.
   */
  readonly sessionSecret: string;
  /** Called with how many connections there are when one more has been taken, or is dropped at once. Default: nothing. */
  readonly accepted: (connections: number) => void;
  /**
   * Connections at once. Beyond them the one is dropped that has waited longest without becoming a WebSocket, or else the new one. Keep it
   * below the limit of open files. Default 10,000.
   */
  readonly connectionsMax: number;
  /** How long a handshake may take, in milliseconds. Default 10,000. */
  readonly handshakeMs: number;
  /** How often handshakes are looked at, in milliseconds. Default 2,000. */
  readonly handshakeCheckMs: number;
  /** Handshakes each second in the long run, from all clients together; above it they are told to try again. 0: any. Default 500. */
  readonly handshakesPerSecond: number;
  /**
   * Handshakes at once. Default 500, a second's worth: clients that come back together are taken as fast as it can be done, and those
   * that are here wait for a few dozen milliseconds at most.
   */
  readonly handshakesBurst: number;
  /** Header of a request, in bytes; a longer one is answered 431. Default 16 KiB. */
  readonly headerBytesMax: number;
  /** Header lines of a request; more are answered 431. Default 100. */
  readonly headersMax: number;
  /** Whether ordinary connections bypass ws: docs/decisions/0012. Default true. */
  readonly fastPaths: boolean;
  /** Whether sockets are read and written below Node's streams, by `process.binding`. Default true. */
  readonly directSockets: boolean;
  /** A message of a client, in bytes. Default 64 KiB. */
  readonly messageBytesMax: number;
  /** Fragments of one message. Default 1,024. */
  readonly messageFragmentsMax: number;
  /** Pieces in which the network may bring one message. Default 16,384. */
  readonly messageChunksMax: number;
  /** Messages of one connection: how many each second in the long run. Default 1,000. */
  readonly messagesPerSecond: number;
  /** Messages of one connection: how many at once. Default 2,000. */
  readonly messagesBurst: number;
  /** Messages of one connection, in bytes: how many each second in the long run. 0: any. Default 1 MiB. */
  readonly messageBytesPerSecond: number;
  /** Messages of one connection, in bytes: how many at once. A longer message is taken when nothing came before it. Default 8 MiB. */
  readonly messageBytesBurst: number;
  /** Workers of one gateway, this one among them, which share what a group may carry. Default 1. */
  readonly workers: number;
  /** Bytes of frames that a group carries each second in the long run; then no client may send to it. 0: any. Default 1 MiB. */
  readonly groupBytesPerSecond: number;
  /** Bytes that a group carries at once; at most `clientBufferBytes`, where groups have a rate. Default 3 MiB. */
  readonly groupBytesBurst: number;
  /** WebSocket pings and pongs of one connection each second in the long run. Default 10. */
  readonly controlFramesPerSecond: number;
  /** WebSocket pings and pongs of one connection at once. Default 20. */
  readonly controlFramesBurst: number;
  /** Refused commands within `strikesMs` that end a connection. Default 10. */
  readonly strikesMax: number;
  /** Default 10,000 milliseconds. */
  readonly strikesMs: number;
  /** Groups of one connection. Default 128. */
  readonly groupsPerConnectionMax: number;
  /** Questions of all connections about groups, `group_info`, that wait for their turn; beyond them more are refused. Default 100,000. */
  readonly positionRequestsMax: number;
  /** A join with an id that the hub has not answered after this many milliseconds is undone. Default 10,000. */
  readonly joinMs: number;
  /** Whoever missed more messages of a group than this is given none of them. Default 1,000, as many as a hub keeps. */
  readonly recoveryMessagesMax: number;
  /**
   * Bytes that the recoveries of one connection may bring each second in the long run; beyond it they wait. A message counts as its payload and
   * 128 bytes, a recovery as 64 KiB at least. Default 8 MiB.
   */
  readonly recoveryBytesPerSecond: number;
  /** The same at once. Default 16 MiB: 256 groups, or 16 of which as much as a hub keeps was missed. */
  readonly recoveryBytesBurst: number;
  /** How long a group without members stays subscribed, in milliseconds. Default 2,000. */
  readonly lingerMs: number;
  /**
   * Groups without members that stay subscribed for so long; beyond it those that have been empty for longest are unsubscribed at once. Of
   * those that one connection has left, `groupsPerConnectionMax` stay. Default 10,000.
   */
  readonly lingeringGroupsMax: number;
  /** A client that was silent for this many milliseconds is asked whether it lives. Default 25,000. */
  readonly heartbeatMs: number;
  /** How long it may take to answer, in milliseconds. Default 10,000. */
  readonly heartbeatTimeoutMs: number;
  /**
   * Bytes per second that a client must take over `slowMs`, while something waits for it; a client that takes
   * fewer is closed as slow. 0: none. Default 16 KiB.
   */
  readonly slowBytesPerSecond: number;
  /** Default 15,000 milliseconds. */
  readonly slowMs: number;
  /**
   * Bytes that may wait for one client behind the frames that are being written to it; above that it is closed
   * as slow at once. One frame that is longer does not count. Default 4 MiB.
   */
  readonly clientBufferBytes: number;
  /**
   * Bytes that may wait for all clients together, where frames that several of them wait for count once; above
   * that those are cut that are furthest behind. Default 256 MiB.
   */
  readonly clientBufferTotalBytes: number;
  /** How long a close handshake may take before the connection is cut, in milliseconds. Default 5,000. */
  readonly closeMs: number;
  /** What all times but those of handshakes are counted with. Default: a wheel that turns once a second. */
  readonly wheel: TimingWheel;
}

/** What `createGateway` takes: the hub, and what should differ from the defaults. */
export type GatewayOptionsInput = Partial<GatewayOptions> & Pick<GatewayOptions, 'hub'>;

export const GATEWAY_DEFAULTS: Omit<GatewayOptions, 'hub' | 'wheel'> = {
  log: SILENT_LOG,
  host: '0.0.0.0',
  port: 1234,
  welcomePage: true,
  version: '0.0.0',
  allowedOrigins: [],
  sessionSecret: '',
  accepted: () => {},
  connectionsMax: 10_000,
  handshakeMs: 10_000,
  handshakeCheckMs: 2_000,
  handshakesPerSecond: 500,
  handshakesBurst: 500,
  headerBytesMax: 16 * KIB,
  headersMax: 100,
  fastPaths: true,
  directSockets: true,
  messageBytesMax: limits.CLIENT_MESSAGE_BYTES_MAX,
  messageFragmentsMax: 1_024,
  messageChunksMax: 16_384,
  messagesPerSecond: 1_000,
  messagesBurst: 2_000,
  messageBytesPerSecond: MIB,
  messageBytesBurst: 8 * MIB,
  workers: 1,
  groupBytesPerSecond: MIB,
  groupBytesBurst: 3 * MIB,
  controlFramesPerSecond: 10,
  controlFramesBurst: 20,
  strikesMax: 10,
  strikesMs: 10_000,
  groupsPerConnectionMax: limits.GROUPS_PER_CONNECTION_MAX,
  positionRequestsMax: 100_000,
  joinMs: 10_000,
  recoveryMessagesMax: 1_000,
  recoveryBytesPerSecond: 8 * MIB,
  recoveryBytesBurst: 16 * MIB,
  lingerMs: 2_000,
  lingeringGroupsMax: 10_000,
  heartbeatMs: 25_000,
  heartbeatTimeoutMs: 10_000,
  slowBytesPerSecond: 16 * KIB,
  slowMs: 15_000,
  clientBufferBytes: 4 * MIB,
  clientBufferTotalBytes: 256 * MIB,
  closeMs: 5_000,
};

const TIME = { min: 0, max: TIMER_MS_MAX, unit: 'milliseconds' } as const;
const BYTES = { min: 1, max: OPTION_BYTES_MAX, unit: 'bytes' } as const;

/** One row for each numeric option. Those that the command line has, too, have the same bounds there. */
export const GATEWAY_RANGES: OptionRanges<GatewayOptions> = {
  port: { min: 0, max: 65_535, unit: 'TCP port' },
  connectionsMax: { min: 1, max: 1_000_000, unit: 'connections' },
  handshakeMs: { ...TIME, min: 1 },
  handshakeCheckMs: { ...TIME, min: 1 },
  handshakesPerSecond: { min: 0, max: 1_000_000, unit: 'handshakes/s', isFractional: true },
  handshakesBurst: { min: 1, max: 1_000_000, unit: 'handshakes' },
  headerBytesMax: { min: 512, max: 1024 * KIB, unit: 'bytes' },
  headersMax: { min: 1, max: 10_000, unit: 'lines' },
  messageBytesMax: { min: 128, max: limits.FRAME_BYTES_MAX / 2, unit: 'bytes' },
  messageFragmentsMax: { min: 1, max: 1_000_000, unit: 'fragments' },
  messageChunksMax: { min: 1, max: 1_000_000, unit: 'pieces' },
  messagesPerSecond: { min: 0.001, max: 1_000_000_000, unit: 'messages/s', isFractional: true },
  messagesBurst: { min: 1, max: 1_000_000_000, unit: 'messages' },
  messageBytesPerSecond: { min: 0, max: OPTION_BYTES_MAX, unit: 'bytes/s', isFractional: true },
  messageBytesBurst: BYTES,
  workers: { min: 1, max: 1_024, unit: 'workers' },
  groupBytesPerSecond: { min: 0, max: OPTION_BYTES_MAX, unit: 'bytes/s', isFractional: true },
  groupBytesBurst: BYTES,
  controlFramesPerSecond: { min: 0.001, max: 1_000_000_000, unit: 'frames/s', isFractional: true },
  controlFramesBurst: { min: 1, max: 1_000_000_000, unit: 'frames' },
  strikesMax: { min: 1, max: 1_000_000, unit: 'commands' },
  strikesMs: TIME,
  groupsPerConnectionMax: { min: 1, max: 100_000, unit: 'groups' },
  positionRequestsMax: { min: 1, max: 10_000_000, unit: 'questions' },
  joinMs: TIME,
  recoveryMessagesMax: { min: 0, max: 1_000_000, unit: 'messages' },
  recoveryBytesPerSecond: { min: 1, max: OPTION_BYTES_MAX, unit: 'bytes/s' },
  recoveryBytesBurst: { min: limits.HISTORY_PAGE_BYTES_MAX, max: OPTION_BYTES_MAX, unit: 'bytes' },
  lingerMs: TIME,
  lingeringGroupsMax: { min: 1, max: 1_000_000, unit: 'groups' },
  heartbeatMs: TIME,
  heartbeatTimeoutMs: TIME,
  slowBytesPerSecond: { min: 0, max: OPTION_BYTES_MAX, unit: 'bytes/s' },
  slowMs: { ...TIME, min: 1 },
  clientBufferBytes: { ...BYTES, min: 64 * KIB },
  // At least one frame of the hub, all of it control characters, and what may wait behind it.
  clientBufferTotalBytes: { ...BYTES, min: 64 * MIB },
  closeMs: TIME,
};

const OWNER = 'createGateway';

/** A session and its MAC let a client try secrets at home. */
const SESSION_SECRET_BYTES_MIN = 16;

/** Fills in the defaults. Throws OptionError `bad_option` for options that a gateway cannot run with. */
export function completeOptions(input: GatewayOptionsInput): GatewayOptions {
  const { hub, wheel = new TimingWheel() } = input;
  const options = resolveOptions(OWNER, { ...GATEWAY_DEFAULTS, hub, wheel }, GATEWAY_RANGES, input);
  checkGatewayOptions(options);
  return options;
}

/** Checks options against each other, and what is no number. Throws OptionError `bad_option`. */
function checkGatewayOptions(options: GatewayOptions): void {
  const { hub, host } = options;
  const refuse = (option: string, problem: string): never => {
    throw new OptionError(OWNER, option, problem);
  };
  if (hub === undefined) refuse('hub', 'is missing. Give a HubClient');
  const secretBytes = Buffer.byteLength(options.sessionSecret);
  if (secretBytes > 0 && secretBytes < SESSION_SECRET_BYTES_MIN) {
    refuse(
      'sessionSecret',
      `has ${secretBytes} bytes. Give at least ${SESSION_SECRET_BYTES_MIN}, which nobody can guess, or ''`,
    );
  }
  if (host === '') refuse('host', 'is empty. Give an address, such as 127.0.0.1, or 0.0.0.0 for all');
  for (const { option, above } of limitConflicts(options)) {
    refuse(option, `is ${options[option]}, which is above ${above}. Give at most ${options[above]} (bytes)`);
  }
}

type ByteLimit = 'messageBytesMax' | 'groupBytesBurst' | 'clientBufferBytes' | 'clientBufferTotalBytes';

/** A limit that must not be above another. */
interface LimitConflict {
  readonly option: ByteLimit;
  readonly above: ByteLimit;
}

/** Each limit `above` holds what `option` allows, at least once. */
const ASCENDING: readonly LimitConflict[] = [
  { option: 'messageBytesMax', above: 'clientBufferBytes' },
  { option: 'groupBytesBurst', above: 'clientBufferBytes' },
  { option: 'clientBufferBytes', above: 'clientBufferTotalBytes' },
];

/** Limits that do not go together, of options or of a configuration. */
export function limitConflicts(
  limits: Readonly<Record<ByteLimit | 'groupBytesPerSecond', number>>,
): readonly LimitConflict[] {
  // Groups without a rate have no burst either.
  const groupBytesBurst = limits.groupBytesPerSecond === 0 ? 0 : limits.groupBytesBurst;
  const compared = { ...limits, groupBytesBurst };
  return ASCENDING.filter(({ option, above }) => compared[option] > compared[above]);
}
