import type { Message, Position } from '@groupcast/client';

/** One line of a chat. */
export interface Entry {
  readonly key: string;
  /** `gap`: messages before this line may be missing. */
  readonly kind: 'message' | 'gap';
  readonly name: string;
  readonly text: string;
  /** Milliseconds since 1970, by the clock of the sender. */
  readonly sentAt: number;
}

/** Stored state of a group: its last lines, and the position to recover at. */
export interface Chat {
  readonly entries: readonly Entry[];
  readonly position: Position | null;
}

const ENTRIES_MAX = 200;
/** The range of a Date, in milliseconds before and after 1970. */
const TIME_MAX = 8.64e15;

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
  return JSON.stringify({ name, text, sentAt: Date.now() });
}

/** Decodes a message. Any client can send to a group, so it can be any text. */
export function decode({ epoch, offset, message, from }: Message): Entry {
  const entry = { key: `${epoch}:${offset}`, kind: 'message' } as const;
  try {
    const { name, text, sentAt } = JSON.parse(String(message));
    const isTime = typeof sentAt === 'number' && Math.abs(sentAt) <= TIME_MAX;
    if (typeof name === 'string' && typeof text === 'string' && isTime) {
      return { ...entry, name, text, sentAt };
    }
  } catch {
    // Plain text, from another kind of client.
  }
  return { ...entry, name: from?.clientId ?? 'server', text: String(message), sentAt: Date.now() };
}
