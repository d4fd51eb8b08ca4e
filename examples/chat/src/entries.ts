import type { Message, Position } from '@groupcast/client';

/** One line of a chat. */
export interface Entry {
  readonly key: string;
  /** `gap`: messages before this line may be missing. */
  readonly kind: 'message' | 'gap';
  readonly name: string;
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

/** Encodes a line as the text of a message. */
export function encode(name: string, text: string): string {
  return JSON.stringify({ name, text });
}

/** Decodes a message. Any client can send to a group, so it can be any text. */
export function decode({ message, from, at = Date.now() }: Message, key: string): Entry {
  const entry = { key, kind: 'message', at } as const;
  try {
    const { name, text } = JSON.parse(String(message));
    if (typeof name === 'string' && typeof text === 'string') return { ...entry, name, text };
  } catch {
    // Plain text, from another kind of client.
  }
  return { ...entry, name: from?.clientId ?? 'server', text: String(message) };
}
