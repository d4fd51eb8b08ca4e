import { expect, test } from 'vitest';
import { GroupcastClient, type WebSocketConstructor } from '../src/index.ts';

type Handlers = { [Type in 'message' | 'close']?: (event: never) => void };

/** A gateway without limits in this process, which answers on demand. */
class Gateway {
  readonly WebSocket: WebSocketConstructor;
  handlers: Handlers = {};
  #commands: string[] = [];

  constructor() {
    const gateway = this;
    this.WebSocket = class {
      constructor() {
        gateway.handlers = {};
        gateway.#commands = [];
      }
      addEventListener(type: string, handler: (event: never) => void): void {
        gateway.handlers[type as keyof Handlers] = handler;
      }
      send(command: string): void {
        gateway.#commands.push(command);
      }
      close(): void {}
    };
  }

  welcome(groups: number): void {
    const limits = { message_bytes: 65_536, groups, messages_per_second: 1e9, messages_burst: 1e9 };
    this.receive({ type: 'welcome', client_id: 'me', limits });
  }

  receive(event: object): void {
    (this.handlers.message as (event: object) => void)({ data: JSON.stringify(event) });
  }

  /** Answers all commands with these fields. Returns their number. */
  answer(fields: object): number {
    const commands = this.#commands.splice(0);
    for (const command of commands) this.receive({ ...fields, id: JSON.parse(command).id });
    return commands.length;
  }

  end(): void {
    (this.handlers.close as (event: object) => void)({ code: 1006, reason: '' });
  }
}

async function start(groups: number, limit = 100_000) {
  const gateway = new Gateway();
  const client = new GroupcastClient('wss://gateway.test', {
    WebSocket: gateway.WebSocket,
    reconnectMinMs: 1,
    sendQueueMax: 1_000_000,
  });
  const refused: unknown[] = [];
  for (let id = 0; id < groups; id += 1)
    void client
      .group(id)
      .join()
      .catch(({ code }) => refused.push(code));
  gateway.welcome(limit);
  return { gateway, client, refused };
}

/** Ends the connection. Resolves when the client has dialled again. */
async function reconnecting({ client, gateway }: Awaited<ReturnType<typeof start>>): Promise<void> {
  await new Promise<void>((resolve) => {
    client.on('state', ({ state }) => state === 'connecting' && setImmediate(resolve));
    gateway.end();
  });
}

function cpuMs(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

const ACK = { type: 'ack', epoch: 'e', offset: 5, recovered: true };

/** Measures the CPU time of joining `count` groups again after a reconnect. */
async function rejoinMs(groups: number): Promise<number> {
  const started = await start(groups);
  const { client, gateway } = started;
  expect(gateway.answer(ACK)).toBe(groups);
  await reconnecting(started);
  let joined = 0;
  const ms = cpuMs(() => {
    gateway.welcome(100_000);
    joined = gateway.answer(ACK);
  });
  expect([joined, client.group(groups - 1).state]).toEqual([groups, 'joined']);
  client.close();
  return ms;
}

/** Measures the CPU time of `count` joins that are rejected for now. */
async function refuseMs(groups: number): Promise<number> {
  const { client, gateway } = await start(groups);
  const refusal = { type: 'error', code: 'hub_unavailable', message: 'Not now.' };
  const ms = cpuMs(() => expect(gateway.answer(refusal)).toBe(groups));
  client.close();
  return ms;
}

/** Measures the CPU time of `count` messages, and of their answers in another order. */
async function sendMs(messages: number): Promise<number> {
  const { client, gateway } = await start(0);
  const group = client.group('g');
  const ms = cpuMs(() => {
    for (let count = 0; count < messages; count += 1) void group.send('x');
    expect(gateway.answer({ type: 'ack', epoch: 'e', offset: 5 })).toBe(messages);
  });
  client.close();
  return ms;
}

/** Returns the least of several measurements: a disturbance only adds time. */
async function leastOf(measure: () => Promise<number>): Promise<number> {
  const all: number[] = [];
  for (let run = 0; run < 3; run += 1) all.push(await measure());
  return Math.min(...all);
}

test.each([
  ['groups that are joined again after a reconnect', rejoinMs],
  ['groups whose join is rejected for now', refuseMs],
  ['messages that are sent', sendMs],
])('ten times as many %s cost about ten times as much', async (_what, measure) => {
  await measure(2_000);
  const [few, many] = [await leastOf(() => measure(2_000)), await leastOf(() => measure(20_000))];
  expect(many / few).toBeLessThan(30);
});

test('20,000 groups beyond the limit are rejected, and the others joined', async () => {
  const { client, gateway, refused } = await start(20_000, 128);
  expect(gateway.answer(ACK)).toBe(128);
  await new Promise((resolve) => setImmediate(resolve));
  expect([refused.length, new Set(refused)]).toEqual([20_000 - 128, new Set(['group_limit'])]);
  client.close();
});
