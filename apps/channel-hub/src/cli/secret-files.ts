import { type CommandContext, ConfigError, type Log, readSecretFiles } from '@groupcast/service';
import type { HubConfig } from '../config.ts';
import type { Hub } from '../hub.ts';

/**
 * Reads the secret files again, and which ones there are; nothing else of the configuration changes. When that fails, the hub keeps the secrets
 * that it has, and every problem is logged.
 */
export function rereadSecrets(hub: Hub, context: Pick<CommandContext<HubConfig>, 'reread'>, log: Log): void {
  try {
    const { secretFile: files } = context.reread().config;
    const { secrets, warnings } = readSecretFiles(files);
    const { accepted, sessionsWithOld } = hub.changeSecret(secrets);
    for (const line of warnings) log.warn({}, line);
    log.info({ files, accepted, sessionsWithOld }, 'The secret files were read again');
    if (sessionsWithOld === 0) return;
    log.warn({ sessionsWithOld }, 'Some connected peers used a removed secret; they cannot reconnect');
  } catch (error) {
    const problems =
      error instanceof ConfigError
        ? error.problems
        : [error instanceof Error ? error.message : String(error)];
    for (const problem of problems) log.error({}, `The secrets are as before: ${problem}`);
  }
}
