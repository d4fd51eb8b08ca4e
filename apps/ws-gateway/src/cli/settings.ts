import { availableParallelism } from 'node:os';
import {
  ConfigError,
  isLoopbackHost,
  readSecretFile,
  readTlsFiles,
  type TlsMaterial,
} from '@groupcast/service';
import manifest from '../../package.json' with { type: 'json' };
import { type GatewayConfig, parseHub } from '../config.ts';
import { connectionsMaxOf } from '../processes/connections-max.ts';
import type { GatewaySettings } from '../processes/generation.ts';
import type { WorkerOptions } from '../processes/messages.ts';

const HUB_TLS_FLAGS = {
  cert: '--hub-tls-cert-file',
  key: '--hub-tls-key-file',
  ca: '--hub-tls-ca-file',
} as const;

/** What the processes of a gateway are started with, and what to say about it. */
export interface SettingsReading {
  readonly settings: GatewaySettings;
  readonly warnings: readonly string[];
}

/**
 * Makes the settings from the configuration and the files that it names, which are read here.
 * Throws ConfigError.
 */
export function readSettings(config: GatewayConfig): SettingsReading {
  const { secret, warning } = readSecretFile(config.secretFile);
  const workers = config.workers === 0 ? availableParallelism() : config.workers;
  const settings: GatewaySettings = {
    workers,
    drainDelayMs: Math.round(config.drainDelaySeconds * 1_000),
    worker: workerOptions(config, workers, secret),
  };
  return { settings, warnings: [...(warning === undefined ? [] : [warning]), ...secretInTheOpen(config)] };
}

/** A warning where the hub is asked for its proof on a way that others can read and change. */
function secretInTheOpen({ hub: address, secretFile, hubTls: isTls }: GatewayConfig): readonly string[] {
  const hub = parseHub(address);
  const isNear = hub === undefined || 'path' in hub || isLoopbackHost(hub.host);
  if (secretFile === '' || isTls || isNear) return [];
  return [
    `The secret is used with the hub at ${address} without TLS: anyone on the network path can read, add and remove messages after the handshake. ` +
      'Make certificates with "groupcast-hub gen-certs", and give --hub-tls and --hub-tls-ca-file.',
  ];
}

function workerOptions(config: GatewayConfig, workers: number, secret: string): Omit<WorkerOptions, 'index'> {
  const hub = parseHub(config.hub);
  // The config table has checked it; the type cannot say so.
  if (hub === undefined) throw new Error(`Not an address of a hub: ${config.hub}`);
  const {
    host,
    port,
    allowedOrigins,
    welcomePage,
    fastPaths,
    directSockets,
    handshakesPerSecond,
    handshakesBurst,
  } = config;
  const { messageBytesPerSecond, messageBytesBurst, groupBytesPerSecond, groupBytesBurst } = config;
  const { groupsPerConnectionMax, messageBytesMax, messagesPerSecond, messagesBurst } = config;
  const { clientBufferBytes, clientBufferTotalBytes, slowBytesPerSecond } = config;
  const gateway: WorkerOptions['gateway'] = {
    host,
    port,
    version: manifest.version,
    allowedOrigins,
    welcomePage,
    fastPaths,
    directSockets,
    connectionsMax: config.connectionsMax === 0 ? connectionsMaxOf() : config.connectionsMax,
    headerBytesMax: config.headerBytesMax,
    handshakesPerSecond,
    handshakesBurst,
    groupsPerConnectionMax,
    messageBytesMax,
    messagesPerSecond,
    messagesBurst,
    messageBytesPerSecond,
    messageBytesBurst,
    workers,
    groupBytesPerSecond,
    groupBytesBurst,
    clientBufferBytes,
    clientBufferTotalBytes,
    slowBytesPerSecond,
    slowMs: Math.round(config.slowSeconds * 1_000),
    recoveryMessagesMax: config.recoveryMessagesMax,
    recoveryBytesPerSecond: config.recoveryBytesPerSecond,
    recoveryBytesBurst: config.recoveryBytesBurst,
    lingeringGroupsMax: config.lingeringGroupsMax,
    heartbeatMs: Math.round(config.heartbeatSeconds * 1_000),
  };
  return {
    gateway,
    hub,
    secret,
    hubTls: hubTls(config),
    balanceConnections: config.balanceConnections && workers > 1,
    warmUpMs: config.warmUpMs,
    drainMs: Math.round(config.drainSeconds * 1_000),
    log: { level: config.logLevel, format: config.logFormat },
  };
}

function hubTls(config: GatewayConfig): TlsMaterial | undefined {
  const files = { cert: config.hubTlsCertFile, key: config.hubTlsKeyFile, ca: config.hubTlsCaFile };
  const material = readTlsFiles(files, HUB_TLS_FLAGS);
  if (config.hubTls) return material;
  if (Object.keys(material).length === 0) return undefined;
  throw new ConfigError(['Files for TLS with the hub are named, but not used: give --hub-tls as well.']);
}
