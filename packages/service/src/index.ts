export { AdminError } from './admin-error.ts';
export { createAdminServer } from './admin-server.ts';
export { ConfigError } from './config-error.ts';
export { configMarkdown } from './config-help.ts';
export { EventLoopDelay } from './event-loop-delay.ts';
export { fetchStats } from './fetch-stats.ts';
export { formatAddress } from './format-address.ts';
export { listenAt } from './listen-at.ts';
export { listenErrorMessage } from './listen-error-message.ts';
export { type Log, SILENT_LOG } from './log.ts';
export { LogLimiter } from './log-limiter.ts';
export { createLogger, type LogFormat, type Logger } from './logger.ts';
export { isLoopbackAddress, isLoopbackHost } from './loopback.ts';
export { openFilesMax } from './open-files.ts';
export {
  addressOption,
  choiceOption,
  flagOption,
  integerOption,
  listOption,
  numberOption,
  type Options,
  textOption,
} from './option.ts';
export { flagName } from './option-names.ts';
export { printable } from './printable.ts';
export {
  type Command,
  type CommandContext,
  type CommandWithOptions,
  commandWithOptions,
  type Program,
} from './program.ts';
export { readConfig } from './read-config.ts';
export { isHost, type RequestFault, requestFault } from './request-fault.ts';
export { runCommand } from './run-command.ts';
export { runMain } from './run-main.ts';
export { runUntilSignal } from './run-until-signal.ts';
export { readSecretFile, readSecretFiles } from './secret-file.ts';
export { startTable } from './start-table.ts';
export { textTable } from './text-table.ts';
export { readTlsFiles, type TlsMaterial } from './tls-files.ts';
