import type { HubClientOptions } from '@groupcast/hub-client';
import {
  flagOption,
  inSeconds,
  integerOption,
  numberOption,
  type OptionsOf,
  textOption,
  unixPathFault,
  withRange,
} from '@groupcast/options';
import { addressFault, addressOption, flagName, LOG_OPTIONS, portConflict } from '@groupcast/service';
import { TOKEN_FLAGS } from './auth/token-flags.ts';
import {
  GATEWAY_TABLE,
  limitConflicts,
  needsAllowedOrigins,
  needsTrustedProxies,
  SHARED_OPTIONS,
} from './options.ts';

/** Flags, environment variables and keys of the file of `groupcast-gateway`. */
export const GATEWAY_OPTIONS = {
  ...SHARED_OPTIONS,
  workers: integerOption({
    default: 0,
    min: 0,
    max: 1_024,
    unit: 'processes',
    describe: 'Worker processes that hold the WebSockets. 0: one per CPU.',
  }),
  hub: textOption({
    default: '127.0.0.1:2206',
    valueName: 'HOST:PORT',
    describe: 'Address of the hub; unix:FILE for its Unix socket.',
    check: (hub) => {
      const address = parseHub(hub);
      if (address === undefined) return 'an address and a port, such as 10.0.0.5:2206, or unix: and a file';
      return 'path' in address ? unixPathFault(address.path) : undefined;
    },
  }),
  adminHost: addressOption({
    default: '127.0.0.1',
    describe: 'Address of the admin port. It has no login: keep it on loopback or a private network.',
  }),
  adminPort: integerOption({
    default: 1235,
    min: 0,
    max: 65_535,
    unit: 'TCP port',
    describe: 'Port for health, metrics and status over HTTP; 0 chooses a free one.',
  }),
  secretFile: textOption({
    default: '',
    valueName: 'FILE',
    describe: 'File with the secret that is shared with the hub; a hub that fails the proof is disconnected.',
  }),
  hubTls: flagOption({ default: false, describe: 'Use TLS for the links to the hub.' }),
  hubTlsCaFile: textOption({
    default: '',
    valueName: 'FILE',
    describe: "PEM file with the CA of the hub's certificate. Default: the public CAs.",
  }),
  hubTlsCertFile: textOption({
    default: '',
    valueName: 'FILE',
    describe: 'PEM file with the certificate of this gateway, for a hub that requires one.',
  }),
  hubTlsKeyFile: textOption({
    default: '',
    valueName: 'FILE',
    describe: 'PEM file with the key of that certificate.',
  }),
  tlsCertFile: textOption({
    default: '',
    valueName: 'FILE',
    describe: 'PEM file with the certificate for clients and its chain. With it, clients use TLS (wss:).',
  }),
  tlsKeyFile: textOption({
    default: '',
    valueName: 'FILE',
    describe: 'PEM file with the key of that certificate. A reload reads both files again.',
  }),
  ...TOKEN_FLAGS,
  trustedProxy: {
    ...GATEWAY_TABLE.trustedProxies,
    to: 'trustedProxies' satisfies keyof typeof GATEWAY_TABLE,
    describe:
      'Addresses and networks of proxies whose X-Forwarded-For is read, and who may use the PROXY protocol.',
  },
  proxyProtocolPort: {
    ...GATEWAY_TABLE.proxyProtocolPort,
    describe: 'Port for trusted proxies whose connections begin with a PROXY header, v1 or v2. 0: none.',
  },
  drainDelaySeconds: numberOption({
    default: 0,
    min: 0,
    max: 3_600,
    unit: 'seconds',
    describe: 'Time between a failing /readyz and the drain, for load balancers to notice.',
  }),
  drainSeconds: numberOption({
    default: 10,
    min: 0,
    max: 3_600,
    unit: 'seconds',
    describe: 'Time over which connections are closed at a stop, or of each old worker in a reload.',
  }),
  balanceConnections: flagOption({
    default: true,
    describe: 'Spread new connections evenly over the workers. Off: the worker that wakes first gets them.',
  }),
  connectionsMax: {
    ...withRange(GATEWAY_TABLE.connectionsMax, { min: 0 }),
    default: 0,
    describe: 'Connections of one worker; beyond it handshakes, then new ones, are dropped. 0: by ulimit -n.',
  },
  headerBytesMax: {
    ...withRange(GATEWAY_TABLE.headerBytesMax, { min: 4 * 1_024 }),
    describe: 'Bytes of a request header, cookies included; a longer one gets 431.',
  },
  messagesPerSecond: {
    ...withRange(GATEWAY_TABLE.messagesPerSecond, { min: 1, max: 1_000_000 }),
    describe: 'Messages per second of one connection in the long run; above it rate_limited.',
  },
  messagesBurst: {
    ...withRange(GATEWAY_TABLE.messagesBurst, { max: 1_000_000 }),
    describe: 'Messages that one connection may send at once; above it rate_limited.',
  },
  slowSeconds: {
    ...inSeconds(GATEWAY_TABLE.slowMs, { min: 1, max: 3_600 }),
    to: 'slowMs' satisfies keyof typeof GATEWAY_TABLE,
    describe: 'Period of --slow-bytes-per-second; a client that reads nothing for as long is closed.',
  },
  heartbeatSeconds: {
    ...inSeconds(GATEWAY_TABLE.heartbeatMs, { min: 1, max: 3_600 }),
    to: 'heartbeatMs' satisfies keyof typeof GATEWAY_TABLE,
    describe: 'Silence of a client before a heartbeat; keep it below the timeouts of proxies.',
  },
  warmUpMs: integerOption({
    default: 1_000,
    min: 0,
    max: 10_000,
    unit: 'milliseconds',
    describe: 'Longest JIT warm-up of a worker before it accepts connections. 0 disables it.',
  }),
  ...LOG_OPTIONS,
};

/** Configuration of `groupcast-gateway`. */
export type GatewayConfig = OptionsOf<typeof GATEWAY_OPTIONS>;

/** Checks options against each other. Returns one sentence for each problem. */
export function checkGatewayConfig(config: GatewayConfig): readonly string[] {
  const tooHigh = limitConflicts(config).map(
    ({ option, above }) =>
      `--${flagName(option)} is ${config[option]}, which is above --${flagName(above)}. Give at most ${config[above]} (bytes), or raise --${flagName(above)}.`,
  );
  return [...tooHigh, ...proxyPortProblems(config), ...cookieProblems(config)];
}

function cookieProblems(config: GatewayConfig): readonly string[] {
  if (!needsAllowedOrigins(config)) return [];
  return ['--auth-cookie needs --allowed-origins: browsers send the cookie for pages of any origin.'];
}

function proxyPortProblems(config: GatewayConfig): readonly string[] {
  const { proxyProtocolPort, trustedProxy: trustedProxies } = config;
  if (proxyProtocolPort === 0) return [];
  const problems: string[] = [];
  if (needsTrustedProxies({ proxyProtocolPort, trustedProxies })) {
    problems.push(
      '--proxy-protocol-port needs --trusted-proxy, which names the proxies that may connect to it.',
    );
  }
  const isAdminPort = portConflict({ ...config, port: proxyProtocolPort }) !== undefined;
  const taken = proxyProtocolPort === config.port ? '--port' : isAdminPort ? '--admin-port' : undefined;
  if (taken !== undefined) {
    problems.push(
      `--proxy-protocol-port and ${taken} are both ${proxyProtocolPort}. Choose another one for one of them.`,
    );
  }
  return problems;
}

/** Address of a hub, as options of a HubClient. */
export type HubAddress = Pick<HubClientOptions, 'host' | 'port'> | Pick<HubClientOptions, 'path'>;

const UNIX_PREFIX = 'unix:';

/** Formats an address as the value of `--hub`. */
export function formatHub(hub: HubAddress): string {
  return 'path' in hub ? `${UNIX_PREFIX}${hub.path}` : `${hub.host}:${hub.port}`;
}

/**
 * Reads HOST:PORT, with brackets around an IPv6 address, or `unix:FILE`. Returns `undefined` for
 * anything else.
 */
export function parseHub(text: string): HubAddress | undefined {
  const path = text.startsWith(UNIX_PREFIX) ? text.slice(UNIX_PREFIX.length) : '';
  if (path !== '') return { path };
  const match = /^(?:\[(?<ipv6>[0-9a-fA-F:.]+)\]|(?<name>[^:[\]\s]+)):(?<port>\d{1,5})$/.exec(text);
  const host = match?.groups?.['ipv6'] ?? match?.groups?.['name'];
  const port = Number(match?.groups?.['port']);
  if (host === undefined || addressFault(host) !== undefined || port < 1 || port > 65_535) return undefined;
  return { host, port };
}
