import type { Message, Position } from '@groupcast/client';

/** One line of a chat. */
export interface Entry {
  readonly key: string;
  /** `gap`: messages before this line may be missing. */
  readonly kind: 'message' | 'gap';
  /** Author. Undefined for messages of programs. */
  readonly uid?: string | undefined;
  readonly text: string;
  /** Milliseconds since 1970, by the clock of the hub. */
  readonly at: number;
}

/** Stored state of a group: its last lines, and the position to recover at. */
export interface Chat {
  readonly entries: readonly Entry[];
  readonly position: Position | null;
}

const ENTRIES_MAX = 200;

export function loadChat(groupId: string): Chat {
  const kept = localStorage.getItem(`chat:${groupId}`);
  return kept === null ? { entries: [], position: null } : JSON.parse(kept);
}

export function saveChat(groupId: string, chat: Chat): void {
  localStorage.setItem(`chat:${groupId}`, JSON.stringify(chat));
}

export function withEntry(chat: Chat, entry: Entry, position: Position): Chat {
  return { entries: [...chat.entries, entry].slice(-ENTRIES_MAX), position };
}

/** Returns the line of a message. The gateway vouches for the uid of its author. */
export function entryOf({ message, from, at = Date.now() }: Message, key: string): Entry {
  const text = typeof message === 'string' ? message : JSON.stringify(message);
  return { key, kind: 'message', uid: from?.uid, text, at };
}
