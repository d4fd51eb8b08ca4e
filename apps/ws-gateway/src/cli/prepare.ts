import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import {
  type CertificateTimes,
  ConfigError,
  certificateTimes,
  certificateWarnings,
  isEveryAddress,
  isLoopbackHost,
  libraryOptions,
  Problems,
  portConflict,
  readSecretFile,
  readTlsFiles,
  type TlsFiles,
  type TlsMaterial,
} from '@groupcast/service';
import manifest from '../../package.json' with { type: 'json' };
import { type GatewayTls, TICKET_KEYS_BYTES } from '../accept/tls-sockets.ts';
import { ignoredTokenFlags } from '../auth/token-flags.ts';
import { GATEWAY_OPTIONS, type GatewayConfig, parseHub } from '../config.ts';
import { completeTable, GATEWAY_TABLE } from '../options.ts';
import { connectionsMaxOf } from '../processes/connections-max.ts';
import type { GatewaySettings } from '../processes/generation.ts';
import type { WorkerOptions } from '../processes/messages.ts';
import { readTokenOptions, type TokenReading } from './token-files.ts';

const HUB_TLS_FLAGS = {
  cert: '--hub-tls-cert-file',
  key: '--hub-tls-key-file',
  ca: '--hub-tls-ca-file',
} as const;

/** Clients need no certificate: there is no flag for a CA. */
const TLS_FLAGS = { cert: '--tls-cert-file', key: '--tls-key-file', ca: '' } as const;

/** Options of the processes of a gateway, and warnings about them. */
export interface PreparedGateway {
  readonly settings: GatewaySettings;
  readonly certificates: readonly CertificateTimes[];
  readonly warnings: readonly string[];
}

/**
 * Makes every check of a start, and reads the files that the configuration names. `start`, a reload
 * and `check-config` call it. Throws ConfigError with every problem.
 */
export function prepareGateway(config: GatewayConfig): PreparedGateway {
  const problems = new Problems();
  const conflict = portConflict(config);
  if (conflict !== undefined) problems.add(conflict);
  const { secret, warning } = problems.collect(() => readSecretFile(config.secretFile), {
    secret: '',
    warning: undefined,
  });
  const hubTls = problems.collect(() => readHubTls(config), undefined);
  const tls = problems.collect(() => readTls(config), undefined);
  for (const problem of ignoredTokenFlags(config)) problems.add(problem);
  const tokens = problems.collect(() => readTokens(config), undefined);
  const workers = config.workers === 0 ? availableParallelism() : config.workers;
  const gateway: WorkerOptions['gateway'] = {
    ...libraryOptions(GATEWAY_OPTIONS, GATEWAY_TABLE, config),
    host: config.host,
    port: config.port,
    tls,
    version: manifest.version,
    connectionsMax: config.connectionsMax === 0 ? connectionsMaxOf() : config.connectionsMax,
    workers,
  };
  problems.collect(() => completeTable(gateway), undefined);
  const hub = parseHub(config.hub);
  if (hub === undefined) problems.add(`--hub ${config.hub} is not the address of a hub.`);
  problems.throwIfAny();
  if (hub === undefined) throw new Error('The problem of --hub was not thrown.');
  const settings: GatewaySettings = {
    workers,
    drainDelayMs: Math.round(config.drainDelaySeconds * 1_000),
    worker: {
      gateway,
      hub,
      secret,
      hubTls,
      tokens: tokens?.tokens,
      balanceConnections: config.balanceConnections && workers > 1,
      warmUpMs: config.warmUpMs,
      drainMs: Math.round(config.drainSeconds * 1_000),
      log: { level: config.logLevel, format: config.logFormat },
    },
  };
  const certificates = [
    ...certificateTimes(tls ?? {}, tlsFilesOf(config), TLS_FLAGS),
    ...certificateTimes(hubTls ?? {}, hubTlsFilesOf(config), HUB_TLS_FLAGS),
  ];
  const warnings = [
    ...(warning === undefined ? [] : [warning]),
    ...(tokens?.warnings ?? []),
    ...secretWithoutTls(config),
    ...trustsEveryAddress(config),
    ...certificateWarnings(certificates),
  ];
  return { settings, certificates, warnings };
}

/** Returns a warning where the secret is used on a network path that is not encrypted. */
function secretWithoutTls({ hub: address, secretFile, hubTls }: GatewayConfig): readonly string[] {
  const hub = parseHub(address);
  const isLocal = hub === undefined || 'path' in hub || isLoopbackHost(hub.host);
  if (secretFile === '' || hubTls || isLocal) return [];
  return [
    `The secret is used with the hub at ${address} without TLS: anyone on the network path can read, add and remove messages after the handshake. ` +
      'Make certificates with "groupcast-hub gen-certs", and give --hub-tls and --hub-tls-ca-file.',
  ];
}

function trustsEveryAddress({ trustedProxy }: GatewayConfig): readonly string[] {
  return trustedProxy
    .filter(isEveryAddress)
    .map(
      (network) =>
        `--trusted-proxy ${network} trusts every address: any client can claim the address of another.`,
    );
}

function tlsFilesOf({ tlsCertFile, tlsKeyFile }: GatewayConfig): TlsFiles {
  return { cert: tlsCertFile, key: tlsKeyFile, ca: '' };
}

function hubTlsFilesOf({ hubTlsCertFile, hubTlsKeyFile, hubTlsCaFile }: GatewayConfig): TlsFiles {
  return { cert: hubTlsCertFile, key: hubTlsKeyFile, ca: hubTlsCaFile };
}

function readTls(config: GatewayConfig): GatewayTls | undefined {
  const { cert, key } = readTlsFiles(tlsFilesOf(config), TLS_FLAGS);
  if (cert === undefined || key === undefined) return undefined;
  // All workers get the same ones, so that a client resumes its session on any of them.
  return { cert, key, ticketKeys: randomBytes(TICKET_KEYS_BYTES).toString('base64') };
}

function readTokens(config: GatewayConfig): TokenReading | undefined {
  return config.auth === 'token' ? readTokenOptions(config) : undefined;
}

function readHubTls(config: GatewayConfig): TlsMaterial | undefined {
  const material = readTlsFiles(hubTlsFilesOf(config), HUB_TLS_FLAGS);
  if (config.hubTls) return material;
  if (Object.keys(material).length === 0) return undefined;
  throw new ConfigError(['Files for TLS with the hub are named, but TLS is off: give --hub-tls as well.']);
}
