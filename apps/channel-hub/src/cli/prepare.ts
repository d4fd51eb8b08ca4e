import {
  type CertificateTimes,
  ConfigError,
  certificateTimes,
  certificateWarnings,
  isEveryAddress,
  isLoopbackHost,
  libraryOptions,
  openFilesMax,
  Problems,
  portConflict,
  readSecretFiles,
  readTlsFiles,
  type TlsFiles,
} from '@groupcast/service';
import { HUB_OPTIONS, type HubConfig, UNIX_SOCKET_MODES } from '../config.ts';
import type { HistoryLimits } from '../engine/memory/history-limits.ts';
import type { KeyedLimits } from '../engine/memory/keyed-limits.ts';
import { MemoryEngine } from '../engine/memory/memory-engine.ts';
import {
  completeOptions,
  HUB_TABLE,
  type HubOptionsInput,
  type HubTls,
  openAddress,
  TLS_HANDSHAKES_MAX,
} from '../options.ts';
import { readNamespacesFile } from './namespaces-file.ts';

/**
 * Files that are kept for everything but peers and TLS handshakes: the admin port, logs, the
 * engine.
 */
const OPEN_FILES_SPARE = 64;

/** Part of a peer's buffer above which it must keep up, or is closed as slow later. */
const BUFFER_SOFT_SHARE = 0.25;

/**
 * Part of a peer's buffer that its items in lease may take: above it one large item would make the
 * peer look slow.
 */
const LEASED_SHARE = 0.125;

const TLS_FLAGS = { cert: '--tls-cert-file', key: '--tls-key-file', ca: '--tls-ca-file' } as const;

/** Options of a hub, all but its log, and warnings about them. */
export interface PreparedHub {
  readonly options: HubOptionsInput;
  readonly certificates: readonly CertificateTimes[];
  readonly warnings: readonly string[];
}

/**
 * Makes every check of a start, and reads the files that the configuration names. `start` and
 * `check-config` call it. Throws ConfigError with every problem.
 */
export function prepareHub(config: HubConfig): PreparedHub {
  const problems = new Problems();
  const conflict = portConflict(config);
  if (conflict !== undefined) problems.add(conflict);
  const { secrets, warnings } = problems.collect(() => readSecretFiles(config.secretFile), {
    secrets: [],
    warnings: [],
  });
  const tls = problems.collect(() => readTls(config), undefined);
  const namespaces = problems.collect(() => readNamespacesFile(config), undefined);
  const open = openAddress({ ...config, tls }, config.secretFile.length);
  if (open !== undefined) {
    problems.add(
      `Without a secret, any host could connect to ${open}. ` +
        'Give --secret-file, or listen on 127.0.0.1, or accept all peers with --insecure.',
    );
  }
  problems.throwIfAny();
  const peersMax = peersMaxOf(config.peersMax, tls);
  const options = problems.collect(
    () => hubOptions({ ...config, peersMax }, { secret: secrets, tls, namespaces }),
    {},
  );
  problems.throwIfAny();
  const certificates = certificatesOf(config, tls);
  return {
    options,
    certificates,
    warnings: [
      ...warnings,
      ...certificateWarnings(certificates),
      ...secretWithoutTls(config),
      ...trustsEveryAddress(config),
      ...fewerPeers(config.peersMax, peersMax),
    ],
  };
}

/** Returns a warning where the secret is used on a network path that is not encrypted. */
function secretWithoutTls({ host, secretFile, tlsCertFile }: HubConfig): readonly string[] {
  const address = host.find((one) => !isLoopbackHost(one));
  if (secretFile.length === 0 || tlsCertFile !== '' || address === undefined) return [];
  return [
    `The secret is used on ${address} without TLS: anyone on the network path can read, add and remove messages after the handshake. ` +
      'Make certificates with "groupcast-hub gen-certs", and give --tls-cert-file and --tls-key-file.',
  ];
}

function trustsEveryAddress({ trust }: HubConfig): readonly string[] {
  return trust
    .filter(isEveryAddress)
    .map(
      (network) =>
        `--trust ${network} trusts every address: any host that reaches the port reads and writes every group.`,
    );
}

function fewerPeers(wanted: number, peersMax: number): readonly string[] {
  if (peersMax === wanted) return [];
  return [
    `The limit of open files leaves room for ${peersMax} of ${wanted} peers (--peers-max). Raise it (ulimit -n).`,
  ];
}

function peersMaxOf(wanted: number, tls: HubTls | undefined): number {
  const spare = OPEN_FILES_SPARE + (tls === undefined ? 0 : TLS_HANDSHAKES_MAX);
  return Math.min(wanted, Math.max(1, openFilesMax() - spare));
}

function hubOptions(
  config: HubConfig,
  files: Pick<HubOptionsInput, 'secret' | 'tls' | 'namespaces'>,
): HubOptionsInput {
  type LibraryOptions = Pick<HubOptionsInput, 'queues' | 'link'> & {
    readonly history: Partial<HistoryLimits>;
    readonly keyed: Partial<KeyedLimits>;
  };
  const found = libraryOptions(HUB_OPTIONS, HUB_TABLE, config) as unknown as LibraryOptions;
  const { history, keyed, queues, link, ...hub } = found;
  const { unixSocket: path, unixSocketMode, peerBufferBytes } = config;
  const options: HubOptionsInput = {
    ...hub,
    ...files,
    unixSocket: path === '' ? undefined : { path, mode: UNIX_SOCKET_MODES[unixSocketMode] },
    engine: new MemoryEngine(history, { keyed }),
    queues: { ...queues, leasedBytesMax: Math.floor(peerBufferBytes * LEASED_SHARE) },
    link: { ...link, bufferBytesSoft: Math.floor(peerBufferBytes * BUFFER_SOFT_SHARE) },
  };
  completeOptions(options);
  return options;
}

/** Reads the certificate files. Throws ConfigError for files that TLS cannot use. */
export function readTls(config: HubConfig): HubTls | undefined {
  const { cert, key, ca } = readTlsFiles(tlsFilesOf(config), TLS_FLAGS);
  if (cert !== undefined && key !== undefined) return ca === undefined ? { cert, key } : { cert, key, ca };
  if (ca === undefined) return undefined;
  throw new ConfigError([
    `${TLS_FLAGS.ca} needs ${TLS_FLAGS.cert} and ${TLS_FLAGS.key}: the hub has no certificate.`,
  ]);
}

/** Returns the times of the certificates that `readTls` has read. */
export function certificatesOf(config: HubConfig, tls: HubTls | undefined): readonly CertificateTimes[] {
  return tls === undefined ? [] : certificateTimes(tls, tlsFilesOf(config), TLS_FLAGS);
}

function tlsFilesOf({ tlsCertFile, tlsKeyFile, tlsCaFile }: HubConfig): TlsFiles {
  return { cert: tlsCertFile, key: tlsKeyFile, ca: tlsCaFile };
}
