// The front door, for peers of the wire. The zod schemas are at ./schema, so that browsers never
// load them.
export {
  BAN_KEYS,
  type Ban,
  type BanDetails,
  type BanTarget,
  banKey,
  encodeBan,
  encodeKick,
  type Kick,
  parseBan,
  parseKick,
} from './ban.ts';
export {
  CLOSE_CODES,
  type CloseCodeRow,
  type CloseReason,
  ERROR_CODES,
  type ErrorCode,
  isErrorCode,
} from './codes.ts';
export { type Dialect, dialectOf } from './dialect.ts';
export { encodeFrame, FrameDecoder, frameLength, HEARTBEAT_FRAME, type ReceiveFrame } from './frame.ts';
export { formatIpNetwork, type IpNetwork, maskIp, parseIpNetwork } from './ip-network.ts';
export * as limits from './limits.ts';
export {
  channelOfGroup,
  channelOfUser,
  groupNameOf,
  groupOfChannel,
  isChannelName,
  isKey,
  isQueueName,
  isSystemChannel,
  isSystemGroup,
  isUid,
  isWatchableQueueName,
} from './name.ts';
export * as native from './native/index.ts';
export { OptionError } from './option-error.ts';
export * as php from './php/index.ts';
export type { Position } from './position.ts';
export { ProtocolError } from './protocol-error.ts';
export { type ReconnectBounds, reconnectDelayMs } from './reconnect.ts';
export { decodeText, encodeText } from './text.ts';
export { utf8ByteLength } from './utf8-length.ts';
