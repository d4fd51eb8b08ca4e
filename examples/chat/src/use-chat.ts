import type { GroupcastError } from '@groupcast/client';
import { useEffect, useState } from 'react';
import { client } from './client.ts';
import { type Chat, entryOf, loadChat, saveChat, withEntry } from './entries.ts';

const BAN_SECONDS = 3_600;

/** Joins a group while the component is mounted. Give the component the group's id as its `key`. */
export function useChat(groupId: string) {
  const [chat, setChat] = useState<Chat>(() => loadChat(groupId));
  const [alert, setAlert] = useState<string>();

  useEffect(() => {
    const group = client.group(groupId);
    const { position } = loadChat(groupId);
    const removeListeners = [
      group.on('message', (message) => {
        const { epoch, offset } = message;
        // An ephemeral message has no position. This page sends none.
        if (offset === undefined) return;
        const entry = entryOf(message, `${epoch}:${offset}`);
        setChat((before) => withEntry(before, entry, { epoch, offset }));
      }),
      group.on('gap', ({ position }) => {
        const entry = { key: `gap:${position.epoch}:${position.offset}`, kind: 'gap' } as const;
        setChat((before) => withEntry(before, { ...entry, text: '', at: 0 }, position));
      }),
      group.on('removed', ({ reason }) => setAlert(`You were removed: ${reason}`)),
      group.on('error', ({ message }) => setAlert(message)),
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

  /** Shows the error if a command fails. */
  async function attempt(command: Promise<unknown>): Promise<void> {
    setAlert(undefined);
    await command.catch(({ message }: GroupcastError) => setAlert(message));
  }

  const group = client.group(groupId);
  return {
    entries: chat.entries,
    alert,
    send: (text: string) => attempt(group.send(text)),
    kick: (uid: string) => attempt(group.kick(uid, { reason: 'Kicked by a moderator.' })),
    ban: (uid: string) => attempt(group.ban(uid, { seconds: BAN_SECONDS, reason: 'Banned for an hour.' })),
  };
}
