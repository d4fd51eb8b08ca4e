import { type CommandContext, ConfigError, type Log, readSecretFiles } from '@groupcast/service';
import type { HubConfig } from '../config.ts';
import type { Hub } from '../hub.ts';
import { readTls } from './prepare.ts';

type Context = Pick<CommandContext<HubConfig>, 'reread'>;

/**
 * Reads the secret and the certificate files again, and which files there are; nothing else of the
 * configuration changes. On failure every problem is logged, and the hub keeps what it has.
 */
export function reloadFiles(hub: Hub, context: Context, log: Log): void {
  logProblems('Secrets not changed', log, () => rereadSecrets(hub, context, log));
  logProblems('Certificates not changed', log, () => rereadCertificates(hub, context, log));
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

function rereadCertificates(hub: Hub, context: Context, log: Log): void {
  const { config } = context.reread();
  const tls = readTls(config);
  hub.changeTls(tls);
  if (tls === undefined) return;
  log.info({ certificate: config.tlsCertFile }, 'Certificate files read again; connected peers stay');
}

function logProblems(what: string, log: Log, read: () => void): void {
  try {
    read();
  } catch (error) {
    const problems =
      error instanceof ConfigError
        ? error.problems
        : [error instanceof Error ? error.message : String(error)];
    for (const problem of problems) log.error({}, `${what}: ${problem}`);
  }
}
