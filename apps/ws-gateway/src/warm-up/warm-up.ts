import { HubClient } from '@groupcast/hub-client';
import { rangeOf } from '@groupcast/options';
import { limits } from '@groupcast/protocol';
import { CLIENT_PROTOCOLS } from '../client-protocols/client-protocols.ts';
import { createGateway } from '../gateway.ts';
import { GATEWAY_TABLE, type GatewayOptions } from '../options.ts';
import { EchoHub } from './echo-hub.ts';
import { WarmUpClient } from './warm-up-client.ts';

/** Clients of one round. */
const CLIENTS = 24;

const GROUPS = 4;

/**
 * Of this and that form, as clients send them: what the compiler has not seen it has to compile
 * anew.
 */
const MESSAGES: readonly ((words: string) => string)[] = [
  (words) => words,
  (words) =>
    `${words}, and a text of so many bytes that its length takes two of them. ${'So it goes. '.repeat(8)}`,
  (words) => JSON.stringify({ words }),
];

/** Messages of one round to each group, one after another. */
const MESSAGES_PER_ROUND = 12;

const ROUNDS_MAX = 400;

/**
 * Rounds with another gateway before: code that has only seen one of a kind is compiled for that
 * one, and again for the next.
 */
const FIRST_ROUNDS_MAX = 20;

export interface WarmUpOptions {
  /**
   * What the gateway that is to be warm has; this one has the same, with a hub and a port of its
   * own.
   */
  readonly gateway: Partial<GatewayOptions>;
  /** How long it may take, in milliseconds; 0 is none at all. */
  readonly maxMs: number;
  /** Rounds after which it ends, where the machine is fast. Default 400. */
  readonly roundsMax?: number;
  /** Ends it before that. */
  readonly signal: AbortSignal;
}

/**
 * Runs what connections run most, with gateways, a hub and clients of its own, until the compiler
 * has seen it often enough: a process that starts cold is several times as slow, and its first
 * clients would notice. Resolves with the number of rounds that were run; leaves nothing behind.
 */
export async function warmUp(options: WarmUpOptions): Promise<number> {
  const { gateway, maxMs, roundsMax = ROUNDS_MAX, signal } = options;
  if (maxMs === 0 || signal.aborted) return 0;
  // Not AbortSignal.timeout: behind AbortSignal.any, Node 20 lets the garbage collector take it
  // before it is over.
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
    // Its own socket, of which the cluster module knows nothing.
    const { port } = await gateway.listen({ host: '127.0.0.1', port: 0, exclusive: true });
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

/** Says whether it was run to its end. */
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
