import { GroupcastClient } from '@groupcast/client';
import { useSyncExternalStore } from 'react';

/**
 * The connection of the page, shared by all groups. It connects at once and reconnects by itself.
 * It asks for a token before it connects, and for another one before that expires.
 */
export const client = new GroupcastClient(import.meta.env['VITE_GATEWAY'] ?? 'ws://127.0.0.1:1234', {
  getToken,
});

const subscribe = (changed: () => void) => client.on('state', changed);

/** Returns the state of the connection, and renders again when it changes. */
export function useConnectionState() {
  return useSyncExternalStore(subscribe, () => client.state);
}

async function getToken(): Promise<string> {
  const response = await fetch('/token');
  // The client tries again later: the server may be back then.
  if (!response.ok) throw new Error(`No token: the server answered ${response.status}.`);
  const { token } = await response.json();
  return token;
}
