import {
  type CertificateTimes,
  type CommandContext,
  ConfigError,
  certificateWarnings,
  type Log,
  readSecretFiles,
} from '@groupcast/service';
import type { HubConfig } from '../config.ts';
import type { Hub } from '../hub.ts';
import { readNamespacesFile } from './namespaces-file.ts';
import { certificatesOf, readTls } from './prepare.ts';

type Context = Pick<CommandContext<HubConfig>, 'reread'>;

/**
 * Reads the files of secrets, certificates and namespaces again, and which files there are; nothing
 * else of the configuration changes. On failure every problem is logged, and the hub keeps what it
 * has. Returns the times of new certificates.
 */
export function reloadFiles(hub: Hub, context: Context, log: Log): readonly CertificateTimes[] | undefined {
  logProblems('Secrets not changed', log, () => rereadSecrets(hub, context, log));
  void rereadNamespaces(hub, context, log);
  return logProblems('Certificates not changed', log, () => rereadCertificates(hub, context, log));
}

function rereadSecrets(hub: Hub, context: Context, log: Log): void {
  const { secretFile: files } = context.reread().config;
  const { secrets, warnings } = readSecretFiles(files);
  const { accepted, peersWithOldSecret } = hub.changeSecret(secrets);
  for (const line of warnings) log.warn({}, line);
  log.info({ files, accepted, peersWithOldSecret }, 'Secret files read again');
  if (peersWithOldSecret === 0) return;
  log.warn({ peersWithOldSecret }, 'Some connected peers used a removed secret; they cannot reconnect');
}

function rereadCertificates(hub: Hub, context: Context, log: Log): readonly CertificateTimes[] {
  const { config } = context.reread();
  const tls = readTls(config);
  hub.changeTls(tls);
  const times = certificatesOf(config, tls);
  for (const line of certificateWarnings(times)) log.warn({}, line);
  if (tls !== undefined)
    log.info({ certificate: config.tlsCertFile }, 'Certificate files read again; connected peers stay');
  return times;
}

/** The engine may answer later. */
async function rereadNamespaces(hub: Hub, context: Context, log: Log): Promise<void> {
  try {
    const { config } = context.reread();
    const namespaces = readNamespacesFile(config);
    await hub.changeNamespaces(namespaces);
    if (namespaces === undefined) return;
    log.info({ file: config.namespacesFile, namespaces: namespaces.length }, 'Namespaces file read again');
  } catch (error) {
    logProblem('Namespaces not changed', log, error);
  }
}

function logProblems<T>(what: string, log: Log, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    logProblem(what, log, error);
    return undefined;
  }
}

function logProblem(what: string, log: Log, error: unknown): void {
  const problems =
    error instanceof ConfigError ? error.problems : [error instanceof Error ? error.message : String(error)];
  for (const problem of problems) log.error({}, `${what}: ${problem}`);
}
