// For tests and for programs that hold a gateway in their own process; the command line is main.ts.

export { OptionError, type Position, type ProtocolError } from '@groupcast/protocol';
export type { Log } from '@groupcast/service';
export type { GatewayStats } from './admin/gateway-stats.ts';
export type { ConnectionState } from './connection/connection.ts';
export { type ConnectionRow, createGateway, type DrainOptions, type Gateway } from './gateway.ts';
export type {
  HistoryAnswer,
  HistoryPage,
  HistoryRead,
  HubPort,
  HubSubscriber,
  LossReason,
  PublishAnswer,
  PublishOptions,
} from './groups/hub-port.ts';
export {
  GATEWAY_DEFAULTS,
  GATEWAY_RANGES,
  type GatewayOptions,
  type GatewayOptionsInput,
} from './options.ts';
export { TimingWheel } from './timing-wheel.ts';
