export type { ClientCommand, CommandId, Operation } from '../client/command.ts';
export type { ClientEvent, GapReason, HistoryVerdict, JoinedPosition, JsonValue } from '../client/event.ts';
export {
  CLIENT_SESSION_PREFIX,
  CLIENT_SUBPROTOCOL_V1,
  CLIENT_SUBPROTOCOL_V1_AT,
  CLIENT_TOKEN_PREFIX,
} from '../client/subprotocol.ts';
export { hasDuplicateKeys } from '../json/duplicate-keys.ts';
export type { JsonPayload } from '../json/object-text.ts';
export { CommandError, parseClientCommand } from './client-command.ts';
export { clientEvent } from './client-event.ts';
export {
  type HubJsonReply,
  type HubJsonRequest,
  hubJsonReply,
  hubJsonRequest,
  parseHubJsonRequest,
} from './hub-json.ts';
export {
  type Namespace,
  type NamespaceHistory,
  NamespacesError,
  NamespaceTable,
  OPERATIONS,
  parseNamespaces,
} from './namespaces.ts';
