import { isChannelName, limits } from '@groupcast/protocol';
import {
  addressOption,
  choiceOption,
  flagOption,
  integerOption,
  type LogFormat,
  listOption,
  numberOption,
  type Options,
  textOption,
} from '@groupcast/service';
import { HISTORY_DEFAULTS, HISTORY_RANGES } from './engine/memory/history-limits.ts';
import { isNetwork } from './listen/trusted-addresses.ts';
import { HUB_RANGES } from './options.ts';
import { QUEUE_DEFAULTS, QUEUE_RANGES } from './queue/queue-limits.ts';

/** Everything that an operator can set. */
export interface HubConfig {
  readonly host: string;
  readonly port: number;
  readonly adminHost: string;
  readonly adminPort: number;
  readonly secretFile: readonly string[];
  readonly insecure: boolean;
  readonly unixSocket: string;
  readonly unixSocketMode: keyof typeof UNIX_SOCKET_MODES;
  readonly localTrust: boolean;
  readonly trust: readonly string[];
  readonly phpBridge: readonly string[];
  readonly phpAck: 'reserve' | 'delivery';
  readonly tlsCertFile: string;
  readonly tlsKeyFile: string;
  readonly tlsCaFile: string;
  readonly peersMax: number;
  readonly channelsPerPeerMax: number;
  readonly frameBytesMax: number;
  readonly peerBufferBytes: number;
  readonly heartbeatSeconds: number;
  readonly historyCount: number;
  readonly historySeconds: number;
  readonly historyBytes: number;
  readonly historyTotalBytes: number;
  readonly queuesMax: number;
  readonly queueItemsMax: number;
  readonly queueBytes: number;
  readonly queueTotalBytes: number;
  readonly queueVisibilitySeconds: number;
  readonly queueAttemptsMax: number;
  readonly directSockets: boolean;
  readonly drainSeconds: number;
  readonly warmUpMs: number;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly logFormat: LogFormat;
}

const MIB = 1024 * 1024;

/** Permissions of the Unix socket. */
export const UNIX_SOCKET_MODES = { '600': 0o600, '660': 0o660, '666': 0o666 } as const;

export const HUB_OPTIONS: Options<HubConfig> = {
  host: addressOption({
    default: '127.0.0.1',
    describe: 'Address to take peers on; one that other hosts reach needs --secret-file.',
  }),
  port: integerOption({
    default: 2206,
    ...HUB_RANGES.port,
    describe: 'Port to take peers on.',
  }),
  adminHost: addressOption({
    default: '127.0.0.1',
    describe: 'Address of the admin port, which has no login: keep it where only operators reach it.',
  }),
  adminPort: integerOption({
    default: 2207,
    min: 0,
    max: 65_535,
    unit: 'TCP port',
    describe: 'Port for health, metrics and status over HTTP.',
  }),
  secretFile: listOption({
    default: [],
    valueName: 'FILE',
    describe:
      'File with the secret that peers must prove to know; "groupcast-hub gen-secret" makes one. Give two to change it: both are accepted, and SIGHUP reads them again. Messages are not protected by it on the way: use TLS between hosts.',
    check: (files) =>
      files.length <= limits.SECRETS_MAX ? undefined : `at most ${limits.SECRETS_MAX} files`,
  }),
  insecure: flagOption({
    default: false,
    describe:
      'Accept peers on any address without a secret: everyone who reaches the port can read and write every group.',
  }),
  unixSocket: textOption({
    default: '',
    valueName: 'FILE',
    describe:
      'Unix socket to take peers on, too. Those that speak PHP or JSON need no secret there, unless --no-local-trust.',
  }),
  unixSocketMode: choiceOption({
    default: '600',
    choices: ['600', '660', '666'],
    describe: 'Who may connect to it: 600 is the user who runs the hub, 660 the group, too, 666 everybody.',
  }),
  localTrust: flagOption({
    default: true,
    describe:
      'Trust peers on this host: accept PHP, and JSON without a secret, on loopback and on the Unix socket. Switch it off on hosts that you share with others; this needs --secret-file.',
  }),
  trust: listOption({
    default: [],
    valueName: 'CIDR',
    describe:
      'Addresses or networks (10.1.0.0/16) whose peers are taken as if they were on this host: they may speak PHP, and JSON without a secret.',
    check: (networks) =>
      networks.every(isNetwork) ? undefined : 'addresses or networks, each such as 10.1.2.3 or 10.1.0.0/16',
  }),
  phpBridge: listOption({
    default: ['send_to_group'],
    valueName: 'EVENT',
    describe: 'Events of PHP peers whose data, group_id and message, are messages to groups.',
    check: (events) => (events.every(isChannelName) ? undefined : 'names of events'),
  }),
  phpAck: choiceOption({
    default: 'reserve',
    choices: ['reserve', 'delivery'],
    describe:
      "When a PHP consumer's item is done: at its next reserve (at least once), or at delivery (at most once).",
  }),
  tlsCertFile: textOption({
    default: '',
    valueName: 'FILE',
    describe: 'PEM file with the certificate of the hub and the chain behind it; with it, links are TLS.',
  }),
  tlsKeyFile: textOption({
    default: '',
    valueName: 'FILE',
    describe: 'PEM file with the key of that certificate.',
  }),
  tlsCaFile: textOption({
    default: '',
    valueName: 'FILE',
    describe:
      'PEM file with the certificates that those of peers must be signed by; with it, a peer without one is refused.',
  }),
  peersMax: integerOption({
    default: 10_000,
    ...HUB_RANGES.peersMax,
    describe:
      'Maximum number of peers. When full, the oldest unauthenticated peer is closed; if there is none, the new one is. Keep it below the limit of open files.',
  }),
  channelsPerPeerMax: integerOption({
    default: limits.CHANNELS_PER_PEER_MAX,
    ...HUB_RANGES.channelsPerPeerMax,
    describe:
      'Channels that one peer may follow; a gateway worker needs one for each group that has members. Beyond them a subscribe is refused; of a PHP worker the first ones are followed, and the others left out and logged.',
  }),
  frameBytesMax: integerOption({
    default: limits.FRAME_BYTES_MAX,
    // A SUBSCRIBE of 1,024 long names must fit.
    min: 512 * 1_024,
    max: limits.FRAME_BYTES_CEILING,
    unit: 'bytes',
    describe: 'Longest frame that is taken; a longer one closes its peer.',
  }),
  peerBufferBytes: integerOption({
    default: 32 * MIB,
    // A gateway that recovers asks for 16 pages of history at a time, of 64 KiB and more each, and must not be slow for that.
    min: 2 * MIB,
    max: 1_024 * MIB,
    unit: 'bytes',
    describe: 'Bytes that may wait for one peer; above it the peer is closed as slow.',
  }),
  heartbeatSeconds: numberOption({
    default: 5,
    min: 1,
    max: 300,
    unit: 'seconds',
    describe: 'Heartbeat interval. A gateway that is silent for three intervals is disconnected.',
  }),
  historyCount: integerOption({
    default: HISTORY_DEFAULTS.countMax,
    ...HISTORY_RANGES.countMax,
    describe: 'Newest publications of one channel that are kept for those who missed them; 0 keeps none.',
  }),
  historySeconds: numberOption({
    default: HISTORY_DEFAULTS.ageMs / 1_000,
    min: 1,
    max: 86_400,
    unit: 'seconds',
    describe: 'How long a publication is kept.',
  }),
  historyBytes: integerOption({
    default: HISTORY_DEFAULTS.bytesMax,
    min: 0,
    max: 1_024 * MIB,
    unit: 'bytes',
    describe:
      'Publications of one channel that are kept, in bytes. The newest is kept even if it is longer; 0 keeps none.',
  }),
  historyTotalBytes: integerOption({
    default: HISTORY_DEFAULTS.totalBytesMax,
    min: MIB,
    max: 1_024 * 1_024 * MIB,
    unit: 'bytes',
    describe:
      'What is kept of all channels together; above it the publisher that holds most loses what it used longest ago.',
  }),
  queuesMax: integerOption({
    default: QUEUE_DEFAULTS.queuesMax,
    ...QUEUE_RANGES.queuesMax,
    describe:
      'Queues of work at a time: those that hold something, and those that are watched. As many dead-letter queues beside them.',
  }),
  queueItemsMax: integerOption({
    default: QUEUE_DEFAULTS.itemsMax,
    ...QUEUE_RANGES.itemsMax,
    describe: 'Items of one queue; more are refused.',
  }),
  queueBytes: integerOption({
    default: QUEUE_DEFAULTS.bytesMax,
    min: MIB,
    max: 1_024 * 1_024 * MIB,
    unit: 'bytes',
    describe: 'Items of one queue, in bytes, with 256 for each; more are refused.',
  }),
  queueTotalBytes: integerOption({
    default: QUEUE_DEFAULTS.totalBytesMax,
    min: MIB,
    max: 1_024 * 1_024 * MIB,
    unit: 'bytes',
    describe: 'Items of all queues together, in bytes; more are refused. They are in memory.',
  }),
  queueVisibilitySeconds: numberOption({
    default: QUEUE_DEFAULTS.visibilityMs / 1_000,
    min: 1,
    max: 86_400,
    unit: 'seconds',
    describe: 'How long a consumer may take for an item before it is handed out again.',
  }),
  queueAttemptsMax: integerOption({
    default: QUEUE_DEFAULTS.attemptsMax,
    min: 1,
    max: 1_000,
    unit: 'attempts',
    describe: 'How often an item is handed out before it goes to the dead-letter queue.',
  }),
  directSockets: flagOption({
    default: true,
    describe: 'Read and write sockets below the streams of Node.js. Disable if a Node.js update breaks it.',
  }),
  drainSeconds: numberOption({
    default: 5,
    min: 0,
    max: 3_600,
    unit: 'seconds',
    describe: 'How long gateways have to leave when the hub is told to end.',
  }),
  warmUpMs: integerOption({
    default: 500,
    min: 0,
    max: 10_000,
    unit: 'milliseconds',
    describe:
      'The hub practises on itself for at most this time before it listens, so that its first messages do not take longer. 0 is not at all.',
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

/** Checks options against each other. Returns one sentence for each problem. */
export function checkHubConfig(config: HubConfig): readonly string[] {
  const { localTrust, secretFile } = config;
  const problems: string[] = [];
  if (!localTrust && secretFile.length === 0) {
    problems.push(
      '--no-local-trust needs --secret-file: without a secret, peers of this host have nothing to prove.',
    );
  }
  const { historyBytes, historyTotalBytes, queueBytes, queueTotalBytes } = config;
  const pairs = [
    ['--history-bytes', historyBytes, '--history-total-bytes', historyTotalBytes],
    ['--queue-bytes', queueBytes, '--queue-total-bytes', queueTotalBytes],
  ] as const;
  for (const [part, bytes, whole, bytesMax] of pairs) {
    if (bytes <= bytesMax) continue;
    problems.push(`${part} is ${bytes}, which is above ${whole}. Give at most ${bytesMax} (bytes).`);
  }
  return problems;
}
