export type { JsonPayload } from '../json/object-text.ts';
export { type ClientCommand, CommandError, parseClientCommand } from './client-command.ts';
export {
  CLIENT_SESSION_PREFIX,
  CLIENT_SUBPROTOCOL_V1,
  type ClientEvent,
  clientEvent,
  type UnrecoveredReason,
} from './client-event.ts';
export type { CommandId } from './command-id.ts';
export {
  type HubJsonReply,
  type HubJsonRequest,
  hubJsonReply,
  hubJsonRequest,
  parseHubJsonRequest,
} from './hub-json.ts';
