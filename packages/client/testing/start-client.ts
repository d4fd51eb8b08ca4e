import { onTestFinished, vi } from 'vitest';
import { GroupcastClient, type GroupcastClientOptions, type GroupcastError } from '../src/index.ts';
import { FakeNetwork, type FakeSocket } from './fake-socket.ts';

/**
 * Starts a client on fake sockets, under fake timers, and collects its states and errors. It is
 * closed when the test ends, and must leave no timer.
 */
export function startClient(options: Partial<GroupcastClientOptions> = {}) {
  if (!vi.isFakeTimers()) {
    vi.useFakeTimers();
    // Is called last, when all clients of the test are closed.
    onTestFinished(() => {
      const timers = vi.getTimerCount();
      vi.useRealTimers();
      vi.restoreAllMocks();
      if (timers > 0) throw new Error(`${timers} timers are pending after close().`);
    });
  }
  const network = new FakeNetwork();
  const client = new GroupcastClient('wss://gateway.test', { WebSocket: network.WebSocket, ...options });
  const states: string[] = [];
  const errors: GroupcastError[] = [];
  client.on('state', ({ state }) => states.push(state));
  client.on('error', (error) => errors.push(error));
  onTestFinished(() => client.close());
  return { client, network, states, errors };
}

/** Starts a connected client. */
export function startConnected(options: Partial<GroupcastClientOptions> = {}) {
  const started = startClient(options);
  started.network.socket.welcome();
  return started;
}

/** Ends the connection, and lets the client reconnect. */
export function reconnect(network: FakeNetwork, welcome: Parameters<FakeSocket['welcome']>[0] = {}): void {
  const before = network.sockets.length;
  network.socket.end(1006);
  while (network.sockets.length === before) {
    if (vi.getTimerCount() === 0) throw new Error('The client will not reconnect: it has no timer.');
    vi.advanceTimersToNextTimer();
  }
  network.socket.welcome(welcome);
}

/** Resolves when all pending microtasks have run. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

/** Returns an object that receives the outcome of a promise. */
export function outcomeOf<T>(promise: Promise<T>): { value?: T; error?: GroupcastError } {
  const outcome: { value?: T; error?: GroupcastError } = {};
  promise.then(
    (value) => {
      outcome.value = value;
    },
    (error: GroupcastError) => {
      outcome.error = error;
    },
  );
  return outcome;
}
