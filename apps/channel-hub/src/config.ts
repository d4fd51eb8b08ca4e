import { LINK_TABLE, type LinkOptions } from '@groupcast/link';
import {
  choiceOption,
  inSeconds,
  integerOption,
  listOption,
  numberOption,
  type Option,
  type OptionsOf,
  textOption,
  unixPathFault,
  withRange,
} from '@groupcast/options';
import { limits } from '@groupcast/protocol';
import { addressOption, LOG_OPTIONS } from '@groupcast/service';
import { HISTORY_TABLE, type HistoryLimits } from './engine/memory/history-limits.ts';
import { KEYED_TABLE, type KeyedLimits } from './engine/memory/keyed-limits.ts';
import { HUB_TABLE, SHARED_OPTIONS } from './options.ts';
import { QUEUE_TABLE, type QueueLimits } from './queue/queue-limits.ts';

const MIB = 1024 * 1024;
const STORE_BYTES = { min: MIB, max: 1_024 * 1_024 * MIB } as const;

/** Permissions of the Unix socket. */
export const UNIX_SOCKET_MODES = { '600': 0o600, '660': 0o660, '666': 0o666 } as const;

/** Options of the libraries below `createHub`, by the names that a row gives them. */
type LibraryOption =
  | keyof typeof HUB_TABLE
  | `history.${keyof HistoryLimits}`
  | `keyed.${keyof KeyedLimits}`
  | `link.${keyof LinkOptions}`
  | `queues.${keyof QueueLimits}`;

/** Makes a flag of an option of a library. */
function flagOf<T>(to: LibraryOption, option: Option<T>, describe: string): Option<T> {
  return { ...option, to, describe };
}

/** Flags, environment variables and keys of the file of `groupcast-hub`. */
export const HUB_OPTIONS = {
  ...SHARED_OPTIONS,
  adminHost: addressOption({
    default: '127.0.0.1',
    describe: 'Address of the admin port. It has no login: keep it on loopback or a private network.',
  }),
  adminPort: integerOption({
    default: 2207,
    min: 0,
    max: 65_535,
    unit: 'TCP port',
    describe: 'Port for health, metrics and status over HTTP; 0 chooses a free one.',
  }),
  secretFile: listOption({
    default: [],
    valueName: 'FILE',
    describe: 'Files with the secret that peers must prove; two while it changes. SIGHUP reads them again.',
    check: (files) =>
      files.length <= limits.SECRETS_MAX ? undefined : `at most ${limits.SECRETS_MAX} files`,
  }),
  unixSocket: textOption({
    default: '',
    valueName: 'FILE',
    describe: 'Unix socket to accept peers on as well.',
    check: unixPathFault,
  }),
  unixSocketMode: choiceOption({
    default: '600',
    choices: ['600', '660', '666'],
    describe: 'Permissions of the Unix socket: 600 its owner, 660 the group as well, 666 all users.',
  }),
  tlsCertFile: textOption({
    default: '',
    valueName: 'FILE',
    describe: "PEM file with the hub's certificate and its chain. With it, links use TLS.",
  }),
  tlsKeyFile: textOption({
    default: '',
    valueName: 'FILE',
    describe: 'PEM file with the key of that certificate.',
  }),
  tlsCaFile: textOption({
    default: '',
    valueName: 'FILE',
    describe: 'PEM file with the CA of client certificates; a peer without one is rejected.',
  }),
  namespacesFile: textOption({
    default: '',
    valueName: 'FILE',
    describe: 'JSON file with permissions, limits and history of groups by prefix. SIGHUP reads it again.',
  }),
  frameBytesMax: flagOf(
    'frameBytesMax',
    // A SUBSCRIBE of 1,024 long names must fit.
    withRange(HUB_TABLE.frameBytesMax, { min: 512 * 1_024 }),
    'Longest frame that is accepted; a longer one closes its peer.',
  ),
  peerBufferBytes: flagOf(
    'link.bufferBytesMax',
    // A gateway that recovers asks for 16 pages of history at a time, of 64 KiB and more each: that
    // is not slow.
    withRange(LINK_TABLE.bufferBytesMax, { min: 2 * MIB, max: 1_024 * MIB }),
    'Bytes that may wait for one peer; above it the peer is closed as slow.',
  ),
  heartbeatSeconds: flagOf(
    'heartbeatMs',
    inSeconds(HUB_TABLE.heartbeatMs, { min: 1, max: 300 }),
    'Heartbeat interval. A gateway that is silent for three intervals is disconnected.',
  ),
  historyCount: flagOf(
    'history.countMax',
    HISTORY_TABLE.countMax,
    'Publications of one channel that are kept for recovery; beyond it the oldest go. 0 keeps none.',
  ),
  historySeconds: flagOf(
    'history.ageMs',
    inSeconds(HISTORY_TABLE.ageMs, { min: 1, max: 86_400 }),
    'Time that a publication is kept for recovery.',
  ),
  historyBytes: flagOf(
    'history.bytesMax',
    withRange(HISTORY_TABLE.bytesMax, { max: 1_024 * MIB }),
    'Bytes of one channel that are kept; beyond it the oldest go, never the newest. 0 keeps none.',
  ),
  historyTotalBytes: flagOf(
    'history.totalBytesMax',
    withRange(HISTORY_TABLE.totalBytesMax, STORE_BYTES),
    'Bytes kept of all channels; beyond it the largest publisher loses its least recently used ones.',
  ),
  keyedValuesMax: flagOf(
    'keyed.valuesMax',
    KEYED_TABLE.valuesMax,
    'Values of all keyed channels, held in memory; a further key is rejected with keys_full.',
  ),
  keyedBytesMax: flagOf(
    'keyed.bytesMax',
    withRange(KEYED_TABLE.bytesMax, { max: 1_024 * 1_024 * MIB }),
    'Bytes of these values, 256 added for each; a new or longer one is rejected with keys_full.',
  ),
  queuesMax: flagOf(
    'queues.queuesMax',
    QUEUE_TABLE.queuesMax,
    'Queues that hold items or are watched, and as many dead-letter queues; above it queue_limit.',
  ),
  queueItemsMax: flagOf(
    'queues.itemsMax',
    QUEUE_TABLE.itemsMax,
    'Items of one queue; further ones are rejected.',
  ),
  queueBytes: flagOf(
    'queues.bytesMax',
    withRange(QUEUE_TABLE.bytesMax, STORE_BYTES),
    'Bytes of the items of one queue, 256 added for each; further items are rejected.',
  ),
  queueTotalBytes: flagOf(
    'queues.totalBytesMax',
    withRange(QUEUE_TABLE.totalBytesMax, STORE_BYTES),
    'Bytes of the items of all queues, held in memory; further items are rejected.',
  ),
  queueVisibilitySeconds: flagOf(
    'queues.visibilityMs',
    inSeconds(QUEUE_TABLE.visibilityMs, { min: 1, max: 86_400 }),
    'Time that a consumer has for an item; after it the item is assigned again.',
  ),
  queueAttemptsMax: flagOf(
    'queues.attemptsMax',
    withRange(QUEUE_TABLE.attemptsMax, { max: 1_000 }),
    'Attempts at an item; after the last it moves to the dead-letter queue.',
  ),
  directSockets: flagOf(
    'link.directSockets',
    LINK_TABLE.directSockets,
    'Read and write sockets below the streams of Node.js. Disable if a Node.js update breaks it.',
  ),
  drainSeconds: numberOption({
    default: 5,
    min: 0,
    max: 3_600,
    unit: 'seconds',
    describe: 'Time that gateways have to leave when the hub stops; after it they are disconnected.',
  }),
  warmUpMs: integerOption({
    default: 500,
    min: 0,
    max: 10_000,
    unit: 'milliseconds',
    describe: 'Longest JIT warm-up before the hub listens. 0 disables it.',
  }),
  ...LOG_OPTIONS,
};

/** Configuration of `groupcast-hub`. */
export type HubConfig = OptionsOf<typeof HUB_OPTIONS>;

/** Checks options against each other. Returns one sentence for each problem. */
export function checkHubConfig(config: HubConfig): readonly string[] {
  const { localTrust, secretFile } = config;
  const problems: string[] = [];
  if (!localTrust && secretFile.length === 0) {
    problems.push(
      '--no-local-trust needs --secret-file: without a secret, local peers have nothing to prove.',
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
