import type { Position } from '../position.ts';

/** Identifies a command: its reply has the same `id`. `JsonObjectText.id` says which are valid. */
export type CommandId = string | number;

/** Action of a client on a group, as permissions name it. */
export type Operation = 'join' | 'history' | 'publish' | 'presence' | 'info' | 'manage';

/** A command from a client to its gateway, without the `id`. */
export type ClientCommandBody =
  | {
      readonly cmd: 'add_group';
      readonly group_id: string;
      /** Position after which messages are replayed first. Not together with `last`. */
      readonly since?: Position | undefined;
      /** Number of the newest messages to replay first, 1 to 1,000. */
      readonly last?: number | undefined;
    }
  | { readonly cmd: 'leave_group'; readonly group_id: string }
  | {
      readonly cmd: 'send_to_group';
      readonly group_id: string;
      /** Text for the members: the content of a string, any other value as it was written. */
      readonly message: string;
      readonly message_id?: string | undefined;
      readonly exclude_self?: boolean | undefined;
      /** False: the message is ephemeral. It takes no offset and is in no history. */
      readonly store?: boolean | undefined;
    }
  | { readonly cmd: 'group_info'; readonly group_id: string }
  | {
      readonly cmd: 'history';
      readonly group_id: string;
      /** Position after which messages are read. Either this or `last` is given. */
      readonly since?: Position | undefined;
      /** Number of the newest messages to read, 1 to 1,000. */
      readonly last?: number | undefined;
      /** Maximum messages in the reply, 1 to 1,000. Default 100. */
      readonly limit?: number | undefined;
    }
  | {
      readonly cmd: 'resume';
      /** Positions by the names of groups. */
      readonly positions: Readonly<Record<string, Position>>;
    }
  | {
      readonly cmd: 'auth' | 'refresh';
      /** JWT, at most 4 KiB. It is a secret. */
      readonly token: string;
    }
  | {
      /** Removes the connections of a user from a group. They may join again. */
      readonly cmd: 'kick';
      readonly group_id: string;
      readonly uid: string;
      readonly reason?: string | undefined;
    }
  | {
      /** Removes a user from a group, and keeps it out. */
      readonly cmd: 'ban';
      readonly group_id: string;
      readonly uid: string;
      /** Seconds until the ban ends. Missing: it does not end. */
      readonly seconds?: number | undefined;
      readonly reason?: string | undefined;
    }
  | { readonly cmd: 'unban'; readonly group_id: string; readonly uid: string }
  | { readonly cmd: 'ping' };

/** A command from a client to its gateway. */
export type ClientCommand = ClientCommandBody & { readonly id?: CommandId | undefined };
