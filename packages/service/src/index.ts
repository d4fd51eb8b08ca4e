export { announceStart } from './cli/announce-start.ts';
export type {
  Command,
  CommandContext,
  Program,
} from './cli/program.ts';
export { runCommand } from './cli/run-command.ts';
export { runMain } from './cli/run-main.ts';
export { type StartProblem, type StartRow, startTable } from './cli/start-table.ts';
export { statusCommandOf } from './cli/status-command.ts';
export { textTable } from './cli/text-table.ts';
export { formatUptime } from './cli/uptime.ts';
export { addressesOption, addressFault, addressOption } from './config/address-option.ts';
export {
  type CertificateTimes,
  certificateTimes,
  certificateWarnings,
} from './config/certificate-times.ts';
export { ConfigError } from './config/config-error.ts';
export { configMarkdown } from './config/config-help.ts';
export { readFileOption } from './config/file-option.ts';
export { libraryOptions } from './config/library-options.ts';
export { flagName } from './config/option-names.ts';
export type { ConfigTable } from './config/option-values.ts';
export { portConflict } from './config/port-conflict.ts';
export { Problems } from './config/problems.ts';
export { readConfig } from './config/read-config.ts';
export { readSecretFile, readSecretFiles } from './config/secret-file.ts';
export { readTlsFiles, type TlsFiles, type TlsMaterial } from './config/tls-files.ts';
export { AdminError } from './http/admin-error.ts';
export { createAdminServer } from './http/admin-server.ts';
export { fetchStats } from './http/fetch-stats.ts';
export { formatAddress } from './http/format-address.ts';
export { listenAt } from './http/listen-at.ts';
export { listenErrorMessage } from './http/listen-error-message.ts';
export { isHost, type RequestFault, requestFault } from './http/request-fault.ts';
export { type Log, SILENT_LOG } from './log/log.ts';
export { LogLimiter } from './log/log-limiter.ts';
export { LOG_OPTIONS } from './log/log-options.ts';
export { createLogger, type LogFormat, type Logger } from './log/logger.ts';
export { printable } from './log/printable.ts';
export { EventLoopDelay } from './process/event-loop-delay.ts';
export { isLoopbackAddress, isLoopbackHost } from './process/loopback.ts';
export { certificatesText, processText } from './process/metrics-text.ts';
export { nodeVersionProblem } from './process/node-version.ts';
export { openFilesMax } from './process/open-files.ts';
export type { ProcessMetric } from './process/process-metrics.ts';
export { runUntilSignal, START_EXIT_CODES } from './process/run-until-signal.ts';
export { isEveryAddress, networksFault, TrustedAddresses } from './process/trusted-addresses.ts';
