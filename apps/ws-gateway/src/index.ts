// For tests and for programs that hold a gateway in their own process; the command line is main.ts.

export { OptionError } from '@groupcast/protocol';
export type { Log } from '@groupcast/service';
export { type ConnectionRow, createGateway, type DrainOptions, type Gateway } from './gateway.ts';
export type { GatewayStats } from './gateway-stats.ts';
export type {
  HistoryAnswer,
  HistoryPage,
  HubPort,
  HubSubscriber,
  LossReason,
  PublishAnswer,
  SubmitOptions,
} from './hub-port.ts';
export {
  GATEWAY_DEFAULTS,
  GATEWAY_RANGES,
  type GatewayOptions,
  type GatewayOptionsInput,
} from './options.ts';
export { TimingWheel } from './timing-wheel.ts';
