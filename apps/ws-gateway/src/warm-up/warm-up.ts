import { HubClient } from '@groupcast/hub-client';
import { rangeOf } from '@groupcast/options';
import { limits } from '@groupcast/protocol';
import { CLIENT_PROTOCOLS } from '../client-protocols/client-protocols.ts';
import { createGateway } from '../gateway.ts';
import { GATEWAY_TABLE, type GatewayOptions } from '../options.ts';
import { EchoHub } from './echo-hub.ts';
import { WarmUpClient } from './warm-up-client.ts';

/** Number of clients in one round. */
const CLIENTS = 24;

const GROUPS = 4;

/** Messages of several forms, as clients send them: the compiler compiles again for new forms. */
const MESSAGES: readonly ((words: string) => string)[] = [
  (words) => words,
  (words) => `${words}, and a text whose length takes two bytes of its header. ${'So it goes. '.repeat(8)}`,
  (words) => JSON.stringify({ words }),
];

/** Number of messages to each group in one round. */
const MESSAGES_PER_ROUND = 12;

const ROUNDS_MAX = 400;

/**
 * Rounds with another gateway before: code that has seen a single gateway is compiled for that one,
 * and again for the next.
 */
const FIRST_ROUNDS_MAX = 20;

export interface WarmUpOptions {
  /**
   * Options of the gateway to warm up. The warm-up gateway has the same, with a hub and a port of
   * its own.
   */
  readonly gateway: Partial<GatewayOptions>;
  /** Longest duration, in milliseconds; 0 disables the warm-up. */
  readonly maxMs: number;
  /** Most rounds. Default 400. */
  readonly roundsMax?: number;
  /** Ends the warm-up early. */
  readonly signal: AbortSignal;
}

/**
 * Runs the code that connections run most, with gateways, a hub and clients of its own, until the
 * compiler has optimised it: a cold process is several times as slow. Resolves with the number of
 * rounds. Leaves nothing behind.
 */
export async function warmUp(options: WarmUpOptions): Promise<number> {
  const { gateway, maxMs, roundsMax = ROUNDS_MAX, signal } = options;
  if (maxMs === 0 || signal.aborted) return 0;
  // Not AbortSignal.timeout: behind AbortSignal.any, Node 20 garbage-collects it too early.
  const ending = new AbortController();
  const end = (): void => ending.abort();
  const timer = setTimeout(end, maxMs);
  signal.addEventListener('abort', end, { once: true });
  try {
    const first = await warmUpGateway(gateway, Math.min(FIRST_ROUNDS_MAX, roundsMax), ending.signal);
    return first + (await warmUpGateway(gateway, roundsMax - first, ending.signal));
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}

async function warmUpGateway(
  options: Partial<GatewayOptions>,
  roundsMax: number,
  end: AbortSignal,
): Promise<number> {
  if (roundsMax === 0 || end.aborted) return 0;
  const none = {
    handshakesPerSecond: 0,
    messagesPerSecond: rangeOf(GATEWAY_TABLE.messagesPerSecond).max,
    messageBytesPerSecond: 0,
    groupBytesPerSecond: 0,
    allowedOrigins: [],
    proxyProtocolPort: 0,
    trustedProxies: [],
    tls: undefined,
  };
  const many = {
    connectionsMax: 2 * CLIENTS * roundsMax,
    messagesBurst: rangeOf(GATEWAY_TABLE.messagesBurst).max,
    messageBytesMax: limits.CLIENT_MESSAGE_BYTES_MAX,
  };
  const { directSockets = true } = options;
  const link = { directSockets };
  const echo = await EchoHub.listen(link);
  const hub = new HubClient({ port: echo.port, link });
  const gateway = createGateway({ ...options, ...none, ...many, hub });
  try {
    hub.connect();
    // Not a port of the cluster module.
    const { port } = await gateway.listenOn(0, { host: '127.0.0.1', port: 0, exclusive: true });
    let rounds = 0;
    while (rounds < roundsMax && !end.aborted) {
      if (await runRound(port, end)) rounds += 1;
    }
    return rounds;
  } finally {
    await gateway.close();
    hub.close();
    echo.close();
  }
}

/** Resolves with whether the round ran to its end. */
async function runRound(port: number, end: AbortSignal): Promise<boolean> {
  const clients = Array.from({ length: CLIENTS }, (_, index) => {
    const subprotocol = CLIENT_PROTOCOLS[index % CLIENT_PROTOCOLS.length]?.subprotocol;
    return new WarmUpClient({ port, subprotocol });
  });
  const close = (): void => {
    for (const client of clients) client.close();
  };
  end.addEventListener('abort', close, { once: true });
  try {
    await talk(clients);
    return true;
  } catch (error) {
    if (!end.aborted) throw error;
    return false;
  } finally {
    end.removeEventListener('abort', close);
    close();
  }
}

async function talk(clients: readonly WarmUpClient[]): Promise<void> {
  const all = (words: string): Promise<unknown> => Promise.all(clients.map((client) => client.heard(words)));
  await all('\r\n\r\n');
  clients.forEach((client, index) => {
    client.send(`{"cmd":"add_group","group_id":"${index % GROUPS}","id":"join"}`);
  });
  await all('"join"');
  for (let number = 0; number < MESSAGES_PER_ROUND; number++) {
    const message = JSON.stringify(MESSAGES[number % MESSAGES.length]?.(`number ${number}`));
    const id = number % 2 === 0 ? '' : `,"id":${number}`;
    clients.slice(0, GROUPS).forEach((client, group) => {
      client.send(`{"cmd":"send_to_group","group_id":"${group}","message":${message}${id}}`);
    });
    await all(`number ${number}`);
  }
  clients.forEach((client, index) => {
    client.send(`{"cmd":"leave_group","group_id":"${index % GROUPS}","id":"leave"}`);
  });
  await all('"leave"');
}
