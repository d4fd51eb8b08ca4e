import { type CommandContext, ConfigError, type Log, readSecretFiles } from '@groupcast/service';
import type { HubConfig } from '../config.ts';
import type { Hub } from '../hub.ts';

/**
 * Reads the secret files again, and which files there are; nothing else of the configuration
 * changes. On failure every problem is logged, and the hub keeps its secrets.
 */
export function rereadSecrets(hub: Hub, context: Pick<CommandContext<HubConfig>, 'reread'>, log: Log): void {
  try {
    const { secretFile: files } = context.reread().config;
    const { secrets, warnings } = readSecretFiles(files);
    const { accepted, peersWithOldSecret } = hub.changeSecret(secrets);
    for (const line of warnings) log.warn({}, line);
    log.info({ files, accepted, peersWithOldSecret }, 'Secret files read again');
    if (peersWithOldSecret === 0) return;
    log.warn({ peersWithOldSecret }, 'Some connected peers used a removed secret; they cannot reconnect');
  } catch (error) {
    const problems =
      error instanceof ConfigError
        ? error.problems
        : [error instanceof Error ? error.message : String(error)];
    for (const problem of problems) log.error({}, `Secrets not changed: ${problem}`);
  }
}
