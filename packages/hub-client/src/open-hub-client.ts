import { ProtocolError } from '@groupcast/protocol';
import { HubClient } from './hub-client.ts';
import type { HubClientOptionsInput } from './options.ts';

/**
 * Connects a client. Resolves when its link is open, and rejects with ProtocolError after the first
 * failed attempt: a command that waits for a hub would look like one that hangs. Throws OptionError
 * `bad_option` for invalid options.
 */
export function openHubClient(options: HubClientOptionsInput): Promise<HubClient> {
  const client = new HubClient(options);
  return new Promise((resolve, reject) => {
    client.on('state', function onState(state, error) {
      if (state !== 'open' && state !== 'waiting') return;
      client.off('state', onState);
      if (state === 'open') {
        resolve(client);
        return;
      }
      client.close();
      reject(error ?? new ProtocolError('hub_unavailable', 'The hub closed the connection.'));
    });
    client.connect();
  });
}
