import type { GroupcastError } from '@groupcast/client';
import { useEffect, useState } from 'react';
import { client } from './client.ts';
import { type Chat, decode, encode, loadChat, saveChat, withEntry } from './entries.ts';

/** Joins a group while the component is mounted. Give the component the group's id as its `key`. */
export function useChat(groupId: string) {
  const [chat, setChat] = useState<Chat>(() => loadChat(groupId));
  const [error, setError] = useState<GroupcastError>();

  useEffect(() => {
    const group = client.group(groupId);
    const { position } = loadChat(groupId);
    const removeListeners = [
      group.on('message', (message) => {
        const { epoch, offset } = message;
        // An ephemeral message has no position. This page sends none.
        if (offset === undefined) return;
        const entry = decode(message, `${epoch}:${offset}`);
        setChat((before) => withEntry(before, entry, { epoch, offset }));
      }),
      group.on('gap', ({ position }) => {
        const entry = { key: `gap:${position.epoch}:${position.offset}`, kind: 'gap' } as const;
        setChat((before) => withEntry(before, { ...entry, name: '', text: '', at: 0 }, position));
      }),
      group.on('error', setError),
    ];
    // A first visit shows the newest messages, a later one what it has missed.
    group.join(position === null ? { last: 20 } : { since: position }).catch(() => {
      // The listener of `error` shows the reason, unless this effect was cleaned up meanwhile.
    });
    return () => {
      for (const remove of removeListeners) remove();
      void group.leave();
    };
  }, [groupId]);

  useEffect(() => saveChat(groupId, chat), [groupId, chat]);

  async function send(name: string, text: string): Promise<void> {
    setError(undefined);
    await client.group(groupId).send(encode(name, text)).catch(setError);
  }

  return { entries: chat.entries, error, send };
}
