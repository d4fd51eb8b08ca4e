import type { Position } from '../position.ts';

/** Identifies a command: its reply has the same `id`. `JsonObjectText.id` says which are valid. */
export type CommandId = string | number;

/** A command from a client to its gateway, without the `id`. */
export type ClientCommandBody =
  | { readonly cmd: 'add_group'; readonly group_id: string; readonly since?: Position | undefined }
  | { readonly cmd: 'leave_group'; readonly group_id: string }
  | {
      readonly cmd: 'send_to_group';
      readonly group_id: string;
      /** Text for the members: the content of a string, any other value as it was written. */
      readonly message: string;
      readonly message_id?: string | undefined;
      readonly exclude_self?: boolean | undefined;
    }
  | { readonly cmd: 'group_info'; readonly group_id: string }
  | { readonly cmd: 'ping' };

/** A command from a client to its gateway. */
export type ClientCommand = ClientCommandBody & { readonly id?: CommandId | undefined };
