import type { HubClientOptions } from '@groupcast/hub-client';
import { limits } from '@groupcast/protocol';
import {
  addressOption,
  choiceOption,
  flagName,
  flagOption,
  integerOption,
  type LogFormat,
  listOption,
  numberOption,
  type Options,
  textOption,
} from '@groupcast/service';
import { ORIGIN_FORMS, originOf } from './accept/origin.ts';
import { GATEWAY_DEFAULTS, GATEWAY_RANGES, limitConflicts } from './options.ts';

/** Everything that an operator can set. */
export interface GatewayConfig {
  readonly host: string;
  readonly port: number;
  readonly workers: number;
  readonly hub: string;
  readonly adminHost: string;
  readonly adminPort: number;
  readonly secretFile: string;
  readonly hubTls: boolean;
  readonly hubTlsCaFile: string;
  readonly hubTlsCertFile: string;
  readonly hubTlsKeyFile: string;
  readonly drainDelaySeconds: number;
  readonly drainSeconds: number;
  readonly allowedOrigins: readonly string[];
  readonly welcomePage: boolean;
  readonly balanceConnections: boolean;
  readonly fastPaths: boolean;
  readonly directSockets: boolean;
  readonly connectionsMax: number;
  readonly headerBytesMax: number;
  readonly handshakesPerSecond: number;
  readonly handshakesBurst: number;
  readonly groupsPerConnectionMax: number;
  readonly lingeringGroupsMax: number;
  readonly messageBytesMax: number;
  readonly messagesPerSecond: number;
  readonly messagesBurst: number;
  readonly messageBytesPerSecond: number;
  readonly messageBytesBurst: number;
  readonly groupBytesPerSecond: number;
  readonly groupBytesBurst: number;
  readonly clientBufferBytes: number;
  readonly clientBufferTotalBytes: number;
  readonly slowBytesPerSecond: number;
  readonly slowSeconds: number;
  readonly recoveryMessagesMax: number;
  readonly recoveryBytesPerSecond: number;
  readonly recoveryBytesBurst: number;
  readonly heartbeatSeconds: number;
  readonly warmUpMs: number;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly logFormat: LogFormat;
}

const MIB = 1024 * 1024;

export const GATEWAY_OPTIONS: Options<GatewayConfig> = {
  host: addressOption({ default: '0.0.0.0', describe: 'Address to take WebSockets on.' }),
  port: integerOption({
    default: 1234,
    ...GATEWAY_RANGES.port,
    describe: 'Port to take WebSockets on.',
  }),
  workers: integerOption({
    default: 0,
    min: 0,
    max: 1_024,
    unit: 'processes',
    describe: 'Worker processes that hold the WebSockets; 0 is one for each CPU.',
  }),
  hub: textOption({
    default: '127.0.0.1:2206',
    valueName: 'HOST:PORT',
    describe: 'The hub to publish to and to subscribe at; unix:FILE for its Unix socket.',
    check: (hub) =>
      parseHub(hub) === undefined
        ? 'an address and a port, such as 10.0.0.5:2206, or unix: and a file'
        : undefined,
  }),
  adminHost: addressOption({
    default: '127.0.0.1',
    describe: 'Address of the admin port, which has no login: keep it where only operators reach it.',
  }),
  adminPort: integerOption({
    default: 1235,
    min: 0,
    max: 65_535,
    unit: 'TCP port',
    describe: 'Port for health, metrics and status over HTTP.',
  }),
  secretFile: textOption({
    default: '',
    valueName: 'FILE',
    describe:
      'File with the secret that is shared with the hub; connections to a hub that fails the proof are closed. Messages are not protected by it on the way: use TLS between hosts.',
  }),
  hubTls: flagOption({ default: false, describe: 'Speak TLS with the hub.' }),
  hubTlsCaFile: textOption({
    default: '',
    valueName: 'FILE',
    describe:
      'PEM file with the certificates that the hub’s must be signed by; none named means the public authorities.',
  }),
  hubTlsCertFile: textOption({
    default: '',
    valueName: 'FILE',
    describe: 'PEM file with the certificate of this gateway, for a hub that asks for one.',
  }),
  hubTlsKeyFile: textOption({
    default: '',
    valueName: 'FILE',
    describe: 'PEM file with the key of that certificate.',
  }),
  drainDelaySeconds: numberOption({
    default: 0,
    min: 0,
    max: 3_600,
    unit: 'seconds',
    describe:
      'At the end, the gateway serves on for this time after /readyz has failed: give load balancers long enough to see it.',
  }),
  drainSeconds: numberOption({
    default: 10,
    min: 0,
    max: 3_600,
    unit: 'seconds',
    describe:
      'At the end, connections are closed evenly over this time, so that they do not all come back at once. In a reload each old worker takes so long.',
  }),
  allowedOrigins: listOption({
    default: [],
    valueName: 'ORIGIN',
    describe:
      'Origins whose pages may connect: https://example.com, https://*.example.com for one label, those of apps as capacitor://localhost; others are answered 403. None named means any.',
    check: (origins) =>
      origins.every((text) => originOf(text) !== undefined)
        ? undefined
        : `origins, each as one of: ${ORIGIN_FORMS}`,
  }),
  welcomePage: flagOption({
    default: true,
    describe: 'Answer GET / with a page that explains and tries the gateway.',
  }),
  balanceConnections: flagOption({
    default: true,
    describe: 'Spread new connections evenly over the workers. Off: the worker that wakes first gets them.',
  }),
  fastPaths: flagOption({
    default: true,
    describe:
      'Serve ordinary connections without ws. Off: the same behaviour, at two to three times the CPU.',
  }),
  directSockets: flagOption({
    default: true,
    describe: 'Read and write sockets below the streams of Node.js. Disable if a Node.js update breaks it.',
  }),
  connectionsMax: integerOption({
    default: 0,
    ...GATEWAY_RANGES.connectionsMax,
    min: 0,
    describe:
      'Connections of one worker; beyond them the oldest that is no WebSocket is dropped, or else the new one. 0 is four fifths of the file descriptors that it may open.',
  }),
  headerBytesMax: integerOption({
    default: 16 * 1_024,
    min: 4 * 1_024,
    max: 1_024 * 1_024,
    unit: 'bytes',
    describe:
      'Header of a request on this port, cookies included; a longer one is answered 431. Proxies have limits of their own.',
  }),
  handshakesPerSecond: numberOption({
    default: 500,
    ...GATEWAY_RANGES.handshakesPerSecond,
    describe:
      'New connections that one worker takes in the long run; more are answered 503 and told when to try again. 0 is no limit.',
  }),
  handshakesBurst: integerOption({
    default: 500,
    ...GATEWAY_RANGES.handshakesBurst,
    describe: 'New connections that one worker takes at once.',
  }),
  groupsPerConnectionMax: integerOption({
    default: limits.GROUPS_PER_CONNECTION_MAX,
    ...GATEWAY_RANGES.groupsPerConnectionMax,
    describe: 'Groups that one connection may be in.',
  }),
  lingeringGroupsMax: integerOption({
    default: 10_000,
    ...GATEWAY_RANGES.lingeringGroupsMax,
    describe:
      'Groups without members that one worker keeps subscribed at the hub for 2 s; beyond it the oldest are unsubscribed at once.',
  }),
  messageBytesMax: integerOption({
    default: limits.CLIENT_MESSAGE_BYTES_MAX,
    ...GATEWAY_RANGES.messageBytesMax,
    describe: 'Longest message that a client may send; a longer one closes its connection with 1009.',
  }),
  messagesPerSecond: numberOption({
    default: 1_000,
    min: 1,
    max: 1_000_000,
    unit: 'messages/s',
    describe: 'Messages that one connection may send in the long run.',
  }),
  messagesBurst: integerOption({
    default: 2_000,
    min: 1,
    max: 1_000_000,
    unit: 'messages',
    describe: 'Messages that one connection may send at once.',
  }),
  messageBytesPerSecond: numberOption({
    default: GATEWAY_DEFAULTS.messageBytesPerSecond,
    ...GATEWAY_RANGES.messageBytesPerSecond,
    describe:
      'Bytes of messages that one connection may send in the long run; more are refused with rate_limited. 0 is any number.',
  }),
  messageBytesBurst: integerOption({
    default: GATEWAY_DEFAULTS.messageBytesBurst,
    ...GATEWAY_RANGES.messageBytesBurst,
    describe: 'Bytes of messages that one connection may send at once; more are refused with rate_limited.',
  }),
  groupBytesPerSecond: numberOption({
    default: GATEWAY_DEFAULTS.groupBytesPerSecond,
    ...GATEWAY_RANGES.groupBytesPerSecond,
    describe:
      'Bytes that one group carries in the long run, of all senders, as members get them; above it clients are refused with rate_limited. A worker without members of the group has a share of it. 0 is any number.',
  }),
  groupBytesBurst: integerOption({
    default: GATEWAY_DEFAULTS.groupBytesBurst,
    ...GATEWAY_RANGES.groupBytesBurst,
    describe:
      'Bytes that one group carries at once; above it clients are refused with rate_limited. Each worker has a share of it.',
  }),
  clientBufferBytes: integerOption({
    ...GATEWAY_RANGES.clientBufferBytes,
    default: GATEWAY_DEFAULTS.clientBufferBytes,
    describe:
      'Bytes that may wait for one client behind the frames that are being written to it; above that it is closed as slow, with 4001. One frame that is longer does not count.',
  }),
  clientBufferTotalBytes: integerOption({
    ...GATEWAY_RANGES.clientBufferTotalBytes,
    default: GATEWAY_DEFAULTS.clientBufferTotalBytes,
    describe:
      'Bytes that may wait for all clients of one worker together, where frames that several of them wait for count once; above that clients are cut, those first that are furthest behind.',
  }),
  slowBytesPerSecond: integerOption({
    ...GATEWAY_RANGES.slowBytesPerSecond,
    default: GATEWAY_DEFAULTS.slowBytesPerSecond,
    describe:
      'A client that takes less than this over --slow-seconds, while something waits for it, is closed as slow, with 4001. 0 is never.',
  }),
  slowSeconds: numberOption({
    default: 15,
    min: 1,
    max: 3_600,
    unit: 'seconds',
    describe:
      'Time over which --slow-bytes-per-second is measured; a client that takes nothing is closed after it.',
  }),
  recoveryMessagesMax: integerOption({
    default: 1_000,
    ...GATEWAY_RANGES.recoveryMessagesMax,
    describe:
      'A client that missed more messages of a group than this is not given them when it comes back, and is told so.',
  }),
  recoveryBytesPerSecond: integerOption({
    default: 8 * MIB,
    ...GATEWAY_RANGES.recoveryBytesPerSecond,
    describe:
      'Bytes that one connection is given in the long run of what it missed; beyond it recoveries wait. Each counts as 64 KiB at least.',
  }),
  recoveryBytesBurst: integerOption({
    default: 16 * MIB,
    ...GATEWAY_RANGES.recoveryBytesBurst,
    describe: 'Bytes that one connection is given at once of what it missed; beyond it recoveries wait.',
  }),
  heartbeatSeconds: numberOption({
    default: 25,
    min: 1,
    max: 3_600,
    unit: 'seconds',
    describe:
      'A connection that was silent for this long is asked whether it lives; keep it below the timeouts of proxies.',
  }),
  warmUpMs: integerOption({
    default: 1_000,
    min: 0,
    max: 10_000,
    unit: 'milliseconds',
    describe: 'Maximum warm-up time of a worker before it accepts connections. 0 disables it.',
  }),
  logLevel: choiceOption({
    default: 'info',
    choices: ['debug', 'info', 'warn', 'error'],
    describe: 'Least important lines to log.',
  }),
  logFormat: choiceOption({
    default: 'auto',
    choices: ['auto', 'json', 'pretty'],
    describe: 'How log lines look: auto is pretty on a terminal and JSON elsewhere.',
  }),
};

/** Says what does not go together. */
export function checkGatewayConfig(config: GatewayConfig): readonly string[] {
  return limitConflicts(config).map(
    ({ option, above }) =>
      `--${flagName(option)} is ${config[option]}, which is above --${flagName(above)}. Give at most ${config[above]} (bytes), or raise --${flagName(above)}.`,
  );
}

/** Where a hub listens, as a HubClient takes it. */
export type HubAddress = Pick<HubClientOptions, 'host' | 'port'> | Pick<HubClientOptions, 'path'>;

const UNIX_PREFIX = 'unix:';

/** As `--hub` has it. */
export function formatHub(hub: HubAddress): string {
  return 'path' in hub ? `${UNIX_PREFIX}${hub.path}` : `${hub.host}:${hub.port}`;
}

/** Reads HOST:PORT, where an IPv6 address stands in brackets, or `unix:FILE`. `undefined` when it is neither. */
export function parseHub(text: string): HubAddress | undefined {
  const path = text.startsWith(UNIX_PREFIX) ? text.slice(UNIX_PREFIX.length) : '';
  if (path !== '') return { path };
  const match = /^(?:\[(?<ipv6>[0-9a-fA-F:.]+)\]|(?<name>[^:[\]\s]+)):(?<port>\d{1,5})$/.exec(text);
  const host = match?.groups?.['ipv6'] ?? match?.groups?.['name'];
  const port = Number(match?.groups?.['port']);
  return host !== undefined && port >= 1 && port <= 65_535 ? { host, port } : undefined;
}
