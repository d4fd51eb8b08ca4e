// For programs that embed a gateway; main.ts is the command line.

export { OptionError, type Position, type ProtocolError } from '@groupcast/protocol';
export type { Log } from '@groupcast/service';
export type { GatewayStats } from './admin/gateway-stats.ts';
export { type Can, Grants } from './auth/grants.ts';
export type { Identity, IdentityLimits, VerifyToken } from './auth/identity.ts';
export { TokenError, type TokenErrorCode } from './auth/token-error.ts';
export type { ConnectionState } from './connection/connection.ts';
export type { GatewayClient, GroupsOnConnect } from './connection/gateway-client.ts';
export {
  type ConnectionRow,
  createGateway,
  type DisconnectOptions,
  type DrainOptions,
  type Gateway,
} from './gateway.ts';
export { GATEWAY_TABLE, type GatewayOptions, type GatewayOptionsInput } from './options.ts';
