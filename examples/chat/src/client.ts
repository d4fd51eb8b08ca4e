import { GroupcastClient } from '@groupcast/client';
import { useSyncExternalStore } from 'react';

/**
 * The connection of the page, shared by all groups. It connects at once and reconnects by itself.
 */
export const client = new GroupcastClient(import.meta.env['VITE_GATEWAY'] ?? 'ws://127.0.0.1:1234');

const subscribe = (changed: () => void) => client.on('state', changed);

/** Returns the state of the connection, and renders again when it changes. */
export function useConnectionState() {
  return useSyncExternalStore(subscribe, () => client.state);
}
