import {
  choiceOption,
  flagOption,
  integerOption,
  listOption,
  numberOption,
  OPTION_BYTES_MAX,
  type OptionsOf,
  objectOption,
  resolveOptions,
  TIMER_MS_MAX,
  textOption,
  valueOption,
} from '@groupcast/options';
import { limits, OptionError } from '@groupcast/protocol';
import { addressesOption, type Log, networksFault, SILENT_LOG } from '@groupcast/service';
import { ORIGIN_FORMS, originOf } from './accept/origin.ts';
import { type GatewayTls, TICKET_KEYS_BYTES } from './accept/tls-sockets.ts';
import type { VerifyToken } from './auth/identity.ts';
import { TOKEN_LEEWAY_SECONDS } from './auth/token-options.ts';
import type { GroupsOnConnect } from './connection/gateway-client.ts';
import type { HubPort } from './groups/hub-port.ts';
import { TimingWheel } from './timing-wheel.ts';
import { REPORTED_CONNECTIONS_MAX } from './users/connection-report.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** A token of RFC 9110, section 5.6.2. */
const COOKIE_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

const TIME = { min: 0, max: TIMER_MS_MAX, unit: 'milliseconds' } as const;
const BYTES = { min: 1, max: OPTION_BYTES_MAX, unit: 'bytes' } as const;

/**
 * Options of `createGateway` that are flags of `groupcast-gateway` as well, with the same values.
 */
export const SHARED_OPTIONS = {
  host: addressesOption({ default: ['0.0.0.0'], describe: 'Addresses to accept WebSockets on.' }),
  port: integerOption({
    default: 1234,
    min: 0,
    max: 65_535,
    unit: 'TCP port',
    describe: 'Port to accept WebSockets on; 0 chooses a free one.',
  }),
  allowedOrigins: listOption({
    default: [],
    valueName: 'ORIGIN',
    describe: 'Origins whose pages may connect, such as https://*.example.com; others get 403. Default: any.',
    check: (origins) =>
      origins.every((text) => originOf(text) !== undefined)
        ? undefined
        : `origins, each as one of: ${ORIGIN_FORMS}`,
  }),
  anonymous: choiceOption({
    choices: ['deny', 'namespace'],
    default: 'deny',
    describe: 'Clients without a token: close them with 4011, or let them do what their namespaces allow.',
  }),
  authCookie: textOption({
    default: '',
    valueName: 'NAME',
    describe: 'Cookie whose value is a token. Needs --allowed-origins: pages send cookies by themselves.',
    check: (name) => (name === '' || COOKIE_NAME.test(name) ? undefined : 'the name of a cookie (RFC 6265)'),
  }),
  connectionsPerUid: integerOption({
    default: 0,
    min: 0,
    max: REPORTED_CONNECTIONS_MAX,
    unit: 'connections',
    describe: 'Connections of one user, on all gateways; beyond it see the policy. 0: no limit.',
  }),
  connectionsPerUidPolicy: choiceOption({
    choices: ['refuse', 'replace_oldest'],
    default: 'refuse',
    describe:
      'Beyond --connections-per-uid: close the newest connections with 4009, or the oldest with 4509.',
  }),
  welcomePage: flagOption({ default: true, describe: 'Serve a page for newcomers at GET /.' }),
  fastPaths: flagOption({
    default: true,
    describe:
      'Serve ordinary connections without ws. Off: the same behaviour, at two to three times the CPU.',
  }),
  directSockets: flagOption({
    default: true,
    describe: 'Read and write sockets below the streams of Node.js. Disable if a Node.js update breaks it.',
  }),
  handshakesPerSecond: numberOption({
    default: 500,
    min: 0,
    max: 1_000_000,
    unit: 'handshakes/s',
    describe: 'Handshakes per second and worker in the long run; above it 503 with Retry-After. 0: no limit.',
  }),
  handshakesBurst: integerOption({
    default: 500,
    min: 1,
    max: 1_000_000,
    unit: 'handshakes',
    describe: 'Handshakes that one worker accepts at once; above it 503 with Retry-After.',
  }),
  groupsPerConnectionMax: integerOption({
    default: limits.GROUPS_PER_CONNECTION_MAX,
    min: 1,
    max: 100_000,
    unit: 'groups',
    describe: 'Groups that one connection may be in; a further join is rejected with group_limit.',
  }),
  lingeringGroupsMax: integerOption({
    default: 10_000,
    min: 1,
    max: 1_000_000,
    unit: 'groups',
    describe: 'Empty groups that one worker keeps subscribed for 2 s; beyond it the oldest are unsubscribed.',
  }),
  messageBytesMax: integerOption({
    default: limits.CLIENT_MESSAGE_BYTES_MAX,
    min: 128,
    max: limits.FRAME_BYTES_MAX / 2,
    unit: 'bytes',
    describe: 'Longest message of a client; a longer one closes its connection with 1009.',
  }),
  messageBytesPerSecond: numberOption({
    default: MIB,
    min: 0,
    max: OPTION_BYTES_MAX,
    unit: 'bytes/s',
    describe: 'Message bytes per second of one connection; above it rate_limited. 0: no limit.',
  }),
  messageBytesBurst: integerOption({
    ...BYTES,
    default: 8 * MIB,
    describe: 'Message bytes that one connection may send at once; above it rate_limited.',
  }),
  groupBytesPerSecond: numberOption({
    default: MIB,
    min: 0,
    max: OPTION_BYTES_MAX,
    unit: 'bytes/s',
    describe: 'Bytes per second of one group, of all senders; above it rate_limited. 0: no limit.',
  }),
  groupBytesBurst: integerOption({
    ...BYTES,
    default: 3 * MIB,
    describe: 'Bytes of one group at once, shared by the workers; above it rate_limited.',
  }),
  clientBufferBytes: integerOption({
    ...BYTES,
    default: 4 * MIB,
    min: 64 * KIB,
    describe: 'Bytes that may wait for one client, one longer frame aside; above it 4001 (slow).',
  }),
  clientBufferTotalBytes: integerOption({
    ...BYTES,
    default: 256 * MIB,
    // At least one frame of the hub, all of it control characters, and what may wait behind it.
    min: 64 * MIB,
    describe: 'Bytes that may wait for all clients of a worker; above it those furthest behind are closed.',
  }),
  slowBytesPerSecond: integerOption({
    default: 16 * KIB,
    min: 0,
    max: OPTION_BYTES_MAX,
    unit: 'bytes/s',
    describe: 'Slowest read rate over --slow-seconds while bytes wait; below it 4001 (slow). 0: no limit.',
  }),
  ephemeralBufferBytesMax: integerOption({
    default: 64 * KIB,
    min: 0,
    max: OPTION_BYTES_MAX,
    unit: 'bytes',
    describe: 'Bytes buffered for a client above which it gets no ephemeral messages (store: false).',
  }),
  recoveryMessagesMax: integerOption({
    default: 1_000,
    min: 0,
    max: 1_000_000,
    unit: 'messages',
    describe: 'Messages that a recovery replays; a client that missed more gets a gap instead.',
  }),
  recoveryBytesPerSecond: integerOption({
    default: 8 * MIB,
    min: 1,
    max: OPTION_BYTES_MAX,
    unit: 'bytes/s',
    describe: 'Bytes per second that one connection recovers, 64 KiB at least each; above it they wait.',
  }),
  recoveryBytesBurst: integerOption({
    default: 16 * MIB,
    min: limits.HISTORY_PAGE_BYTES_MAX,
    max: OPTION_BYTES_MAX,
    unit: 'bytes',
    describe: 'Bytes that one connection recovers at once; above it recoveries wait.',
  }),
  resumeWaitMs: integerOption({
    default: 1_000,
    min: 0,
    max: 60_000,
    unit: 'milliseconds',
    describe: 'Time for a resume of a new client, and up to 1 s more, before the server joins its groups.',
  }),
};

/**
 * Options of `createGateway`, but for the hub and the timing wheel. A time below a tick counts as
 * one tick.
 */
export const GATEWAY_TABLE = {
  ...SHARED_OPTIONS,
  /** Log lines go here. Default: nowhere. */
  log: valueOption<Log>({ default: SILENT_LOG }),
  /** Version that the welcome page shows. Default '0.0.0'. */
  version: textOption({ default: '0.0.0' }),
  /**
   * Secret that signs the sessions of clients; a session that was not signed with it is ignored.
   * Give all gateways the same, at least 16 bytes. Default '': sessions are not signed.
   */
  sessionSecret: textOption({ default: '' }),
  /**
   * Called with the number of connections after one was accepted or dropped at once. Default: does
   * nothing.
   */
  accepted: valueOption<(connections: number) => void>({ default: () => {} }),
  /**
   * Called once, when the gateway has a copy of the bans and the namespaces of the hub. Only with
   * `verifyToken`. Default: does nothing.
   */
  loaded: valueOption<() => void>({ default: () => {} }),
  /**
   * Returns the groups that the server joins for a client that connects, as `joinGroup` does.
   * Default undefined: none.
   */
  groupsOnConnect: valueOption<GroupsOnConnect | undefined>({
    default: undefined,
    check: (groups) => (groups === undefined || typeof groups === 'function' ? undefined : 'a function'),
  }),
  /**
   * Returns the identity of a token, or rejects with TokenError. With it, clients need a token.
   * It must settle. Default undefined: clients have no identity, and tokens are ignored.
   */
  verifyToken: valueOption<VerifyToken | undefined>({
    default: undefined,
    check: (verify) => (verify === undefined || typeof verify === 'function' ? undefined : 'a function'),
  }),
  /**
   * Time from the opening of a connection until its token is accepted, in milliseconds. Then it is
   * closed. Default 10,000.
   */
  authMs: integerOption({ ...TIME, default: 10_000 }),
  /** Tokens that are checked at a time; the others wait. Default 64. */
  tokenChecksMax: integerOption({ default: 64, min: 1, max: 100_000, unit: 'tokens' }),
  /**
   * Time after the expiry of its token until a connection is closed, in milliseconds. Default
   * 25,000.
   */
  tokenGraceMs: integerOption({ ...TIME, default: TOKEN_LEEWAY_SECONDS * 1_000 }),
  /**
   * Time for the hub to tell the positions of the groups in a welcome, in milliseconds. Groups
   * without a position are joined later. Default 2,000.
   */
  welcomeMs: integerOption({ ...TIME, default: 2_000 }),
  /** Messages that a client may send before its welcome; then 1008. Default 256. */
  earlyMessagesMax: integerOption({ default: 256, min: 1, max: 1_000_000, unit: 'messages' }),
  /** Bytes of these messages; beyond them 1008. Default 64 KiB. */
  earlyBytesMax: integerOption({ ...BYTES, default: 64 * KIB }),
  /**
   * Connections at once. Beyond them the oldest one that is not yet a WebSocket is dropped, or else
   * the new one. Keep it below the limit of open files. Default 10,000.
   */
  connectionsMax: integerOption({ default: 10_000, min: 1, max: 1_000_000, unit: 'connections' }),
  /** Time for a handshake, in milliseconds. Default 10,000. */
  handshakeMs: integerOption({ ...TIME, default: 10_000, min: 1 }),
  /** Interval at which handshakes are checked, in milliseconds. Default 2,000. */
  handshakeCheckMs: integerOption({ ...TIME, default: 2_000, min: 1 }),
  /** Bytes of the header of a request; a longer one is answered 431. Default 16 KiB. */
  headerBytesMax: integerOption({ default: 16 * KIB, min: 512, max: 1024 * KIB, unit: 'bytes' }),
  /** Header lines of a request; more are answered 431. Default 100. */
  headersMax: integerOption({ default: 100, min: 1, max: 10_000, unit: 'lines' }),
  /** Fragments of one message. Default 1,024. */
  messageFragmentsMax: integerOption({ default: 1_024, min: 1, max: 1_000_000, unit: 'fragments' }),
  /** Pieces in which the network may deliver one message. Default 16,384. */
  messageChunksMax: integerOption({ default: 16_384, min: 1, max: 1_000_000, unit: 'pieces' }),
  /** Messages of one connection per second in the long run. Default 1,000. */
  messagesPerSecond: numberOption({ default: 1_000, min: 0.001, max: 1_000_000_000, unit: 'messages/s' }),
  /** Messages of one connection at once. Default 2,000. */
  messagesBurst: integerOption({ default: 2_000, min: 1, max: 1_000_000_000, unit: 'messages' }),
  /**
   * Addresses and networks of proxies. From these alone `X-Forwarded-For` is read, and only to
   * learn the address of a client. Default: none.
   */
  trustedProxies: listOption({
    default: [],
    valueName: 'CIDR',
    check: networksFault,
  }),
  /**
   * Port for proxies that begin each connection with a header of the PROXY protocol, version 1 or
   * 2. Only `trustedProxies` may connect to it. Default 0: none.
   */
  proxyProtocolPort: integerOption({ default: 0, min: 0, max: 65_535, unit: 'TCP port' }),
  /** With a certificate and its key, clients use TLS (`wss:`). Default undefined: no TLS. */
  tls: valueOption<GatewayTls | undefined>({
    default: undefined,
    check: tlsFault,
  }),
  /** Workers of one gateway, this one included; they share the limits of a group. Default 1. */
  workers: integerOption({ default: 1, min: 1, max: 1_024, unit: 'workers' }),
  /** WebSocket pings and pongs of one connection per second in the long run. Default 10. */
  controlFramesPerSecond: numberOption({ default: 10, min: 0.001, max: 1_000_000_000, unit: 'frames/s' }),
  /** WebSocket pings and pongs of one connection at once. Default 20. */
  controlFramesBurst: integerOption({ default: 20, min: 1, max: 1_000_000_000, unit: 'frames' }),
  /** Rejected commands within `strikesMs` that close a connection. Default 10. */
  strikesMax: integerOption({ default: 10, min: 1, max: 1_000_000, unit: 'commands' }),
  /** Period over which rejected commands are counted, in milliseconds. Default 10,000. */
  strikesMs: integerOption({ ...TIME, default: 10_000 }),
  /**
   * `group_info` and `history` commands of all connections that wait for their turn; more are
   * rejected. Default 100,000.
   */
  positionRequestsMax: integerOption({ default: 100_000, min: 1, max: 10_000_000, unit: 'requests' }),
  /**
   * Time for the hub's answer to a join with an id, in milliseconds; then the join is undone.
   * Default 10,000.
   */
  joinMs: integerOption({ ...TIME, default: 10_000 }),
  /** Time that a group without members stays subscribed, in milliseconds. Default 2,000. */
  lingerMs: integerOption({ ...TIME, default: 2_000 }),
  /** Silence of a client before it gets a heartbeat, in milliseconds. Default 25,000. */
  heartbeatMs: integerOption({ ...TIME, default: 25_000 }),
  /** Time for the answer to a heartbeat, in milliseconds. Default 10,000. */
  heartbeatTimeoutMs: integerOption({ ...TIME, default: 10_000 }),
  /** Period over which `slowBytesPerSecond` is measured, in milliseconds. Default 15,000. */
  slowMs: integerOption({ ...TIME, default: 15_000, min: 1 }),
  /** Time for a close handshake before the connection is cut, in milliseconds. Default 5,000. */
  closeMs: integerOption({ ...TIME, default: 5_000 }),
};

type TableOptions = OptionsOf<typeof GATEWAY_TABLE>;

/** Options of one gateway worker. All but `hub` have a default. */
export interface GatewayOptions extends TableOptions {
  /** Connection to the hub. The gateway neither connects nor closes it. */
  readonly hub: HubPort;
  /** Timer of all times but those of handshakes. Default: a wheel with ticks of one second. */
  readonly wheel: TimingWheel;
}

/** Options as they are given to `createGateway`: all but `hub` are optional. */
export type GatewayOptionsInput = Partial<Omit<GatewayOptions, 'host'>> &
  Pick<GatewayOptions, 'hub'> & {
    /** One address, or several. All have the same port. */
    readonly host?: string | readonly string[];
  };

const OWNER = 'createGateway';

/** Bytes of the shortest session secret: a session and its MAC let a client try secrets at home. */
const SESSION_SECRET_BYTES_MIN = 16;

/**
 * Fills in the defaults. Throws OptionError `bad_option` for options that a gateway cannot run
 * with.
 */
export function completeOptions(input: GatewayOptionsInput): GatewayOptions {
  const { host, hub, wheel, ...given } = input;
  if (objectOption(OWNER, 'hub', hub) === undefined)
    throw new OptionError(OWNER, 'hub', 'is missing. Give a HubClient');
  return {
    ...completeTable(host === undefined ? given : { ...given, host: [host].flat() }),
    hub,
    wheel: objectOption(OWNER, 'wheel', wheel) ?? new TimingWheel(),
  };
}

/**
 * Fills in the defaults of the table, and checks options against each other. Throws OptionError
 * `bad_option`.
 */
export function completeTable(given: Partial<TableOptions>): TableOptions {
  const options = resolveOptions(OWNER, GATEWAY_TABLE, given);
  const reject = (option: string, problem: string): never => {
    throw new OptionError(OWNER, option, problem);
  };
  if (options.port === 0 && options.host.length > 1) {
    reject('port', 'is 0, and each host would have a port of its own. Give a port, or one host');
  }
  const secretBytes = Buffer.byteLength(options.sessionSecret);
  if (secretBytes > 0 && secretBytes < SESSION_SECRET_BYTES_MIN) {
    reject(
      'sessionSecret',
      `has ${secretBytes} bytes. Give at least ${SESSION_SECRET_BYTES_MIN} random bytes, or ''`,
    );
  }
  if (needsTrustedProxies(options)) {
    reject('proxyProtocolPort', 'is given without trustedProxies. Name the proxies that may connect to it');
  }
  if (needsAllowedOrigins(options)) {
    reject('authCookie', 'is given without allowedOrigins. Name the origins whose pages may connect');
  }
  for (const { option, above } of limitConflicts(options)) {
    reject(option, `is ${options[option]}, which is above ${above}. Give at most ${options[above]} (bytes)`);
  }
  return options;
}

/** Returns whether a gateway would have a port to which no proxy may connect. */
export function needsTrustedProxies(
  options: Pick<TableOptions, 'proxyProtocolPort' | 'trustedProxies'>,
): boolean {
  return options.proxyProtocolPort !== 0 && options.trustedProxies.length === 0;
}

/**
 * Returns whether pages of any origin could connect with the cookie of a user: browsers send it
 * with every handshake.
 */
export function needsAllowedOrigins(options: Pick<TableOptions, 'authCookie' | 'allowedOrigins'>): boolean {
  return options.authCookie !== '' && options.allowedOrigins.length === 0;
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

function tlsFault(tls: GatewayTls | undefined): string | undefined {
  if (tls === undefined) return undefined;
  if (!tls?.cert || !tls.key) return 'cert and key, as PEM texts';
  const { ticketKeys } = tls;
  const isKeys =
    ticketKeys === undefined || Buffer.from(String(ticketKeys), 'base64').length === TICKET_KEYS_BYTES;
  return isKeys ? undefined : `cert, key, and ticketKeys of ${TICKET_KEYS_BYTES} bytes in base64`;
}
