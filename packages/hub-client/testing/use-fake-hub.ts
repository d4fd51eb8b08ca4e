import type { native } from '@groupcast/protocol';
import { afterEach, beforeEach } from 'vitest';
import { HubClient } from '../src/hub-client.ts';
import type { HubClientOptions } from '../src/options.ts';
import { FakeHub, type FakeSession } from './fake-hub.ts';
import { nextState, statesOf } from './recorder.ts';

export interface FakeHubFixture {
  /** A fake hub for this test. */
  readonly hub: FakeHub;
  /** Creates a client that is not connected yet. */
  client(options?: Partial<HubClientOptions>): HubClient;
  /** Creates a client with an open connection, and returns the hub's end of it too. */
  open(
    options?: Partial<HubClientOptions>,
    welcome?: Partial<native.Welcome>,
  ): Promise<[HubClient, FakeSession]>;
  /** Closes the hub and starts another one on the same port. */
  restart(): Promise<FakeHub>;
}

/** Gives each test of a file its own fake hub, and closes it and all clients afterwards. */
export function useFakeHub(): FakeHubFixture {
  const clients: HubClient[] = [];
  let hub: FakeHub | undefined;
  beforeEach(async () => {
    hub = await FakeHub.start();
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await hub?.close();
  });

  const fixture: FakeHubFixture = {
    get hub() {
      if (hub === undefined) throw new Error('There is a fake hub only while a test runs.');
      return hub;
    },
    client: (options = {}) => {
      const client = new HubClient({
        port: fixture.hub.port,
        reconnect: { minMs: 1, maxMs: 10 },
        ...options,
      });
      clients.push(client);
      return client;
    },
    open: async (options, welcome) => {
      const client = fixture.client(options);
      const states = statesOf(client);
      client.connect();
      const session = await fixture.hub.welcome(welcome);
      await nextState(states, 'open');
      return [client, session];
    },
    restart: async () => {
      const { port } = fixture.hub;
      await fixture.hub.close();
      hub = await FakeHub.start(port);
      return hub;
    },
  };
  return fixture;
}
