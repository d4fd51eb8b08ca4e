import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { canWriteBelow, queuedBytesOf, writeFrames } from './frame-writer.ts';
import { textFrame, textFrames } from './text-frame.ts';

interface Pair {
  readonly client: WebSocket;
  readonly ws: WebSocket;
  readonly socket: Socket;
}

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

async function connectPair(perMessageDeflate: boolean): Promise<Pair> {
  const server = createServer();
  servers.push(server);
  const wss = new WebSocketServer({ noServer: true, perMessageDeflate });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // Without pongs, because ws takes many pings at once for an attack.
  const options = { autoPong: false };
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, options);
  const [request, socket, head] = await once(server, 'upgrade');
  const ws = await new Promise<WebSocket>((resolve) => wss.handleUpgrade(request, socket, head, resolve));
  if (client.readyState !== WebSocket.OPEN) await once(client, 'open');
  return { client, ws, socket };
}

/** Everything that arrives at the client, in order, until the close. */
async function arrivals({ client }: Pair): Promise<string[]> {
  const arrived: string[] = [];
  client.on('message', (data, isBinary) => arrived.push(`${isBinary ? 'binary' : 'text'} ${data}`));
  client.on('ping', (data) => arrived.push(`ping ${data}`));
  client.on('pong', (data) => arrived.push(`pong ${data}`));
  client.on('error', (error) => arrived.push(`error ${error.message}`));
  const [code, reason] = await once(client, 'close');
  arrived.push(`close ${code} ${reason}`);
  return arrived;
}

test('frames of ws and frames written below it arrive whole and in order', async () => {
  const pair = await connectPair(false);
  const { ws, socket, client } = pair;
  expect(canWriteBelow(ws, socket)).toBe(true);
  const arrived = arrivals(pair);
  const expected: string[] = [];
  for (let round = 0; round < 200; round++) {
    const long = `${round}`.repeat(500);
    writeFrames(ws, socket, textFrame(`below ${round}`));
    ws.ping(`p${round}`);
    ws.send(`sent ${round}`);
    writeFrames(ws, socket, textFrames([Buffer.from(long), Buffer.from('')]));
    ws.pong(`q${round}`);
    ws.send(`again ${round}`);
    expected.push(`text below ${round}`, `ping p${round}`, `text sent ${round}`);
    expected.push(`text ${long}`, 'text ', `pong q${round}`, `text again ${round}`);
  }
  ws.close(4321, 'done');
  expect((await arrived).join('\n') === [...expected, 'close 4321 done'].join('\n')).toBe(true);
  expect(client.readyState).toBe(WebSocket.CLOSED);
});

test('more than the network takes at once arrives whole and in order too', async () => {
  const pair = await connectPair(false);
  const { ws, socket } = pair;
  const arrived = arrivals(pair);
  const expected: string[] = [];
  for (let round = 0; round < 64; round++) {
    const large = String.fromCharCode(97 + (round % 26)).repeat(200_000);
    writeFrames(ws, socket, textFrame(large));
    ws.ping(`${round}`);
    ws.send(`sent ${round}`);
    expected.push(`text ${large}`, `ping ${round}`, `text sent ${round}`);
  }
  expect(queuedBytesOf(ws, socket)).toBeGreaterThan(0);
  ws.close(1000, 'done');
  expect((await arrived).join('\n') === [...expected, 'close 1000 done'].join('\n')).toBe(true);
});

test('nothing is written once ws has begun to close', async () => {
  const pair = await connectPair(false);
  const arrived = arrivals(pair);
  pair.ws.close(1000, 'bye');
  expect(writeFrames(pair.ws, pair.socket, textFrame('late'))).toBe(false);
  expect(writeFrames(pair.ws, undefined, textFrame('late'))).toBe(false);
  expect(await arrived).toEqual(['close 1000 bye']);
});

test('with an extension the slower path is taken, and the same arrives', async () => {
  const pair = await connectPair(true);
  const { ws, socket } = pair;
  expect(ws.extensions).toContain('permessage-deflate');
  expect(canWriteBelow(ws, socket)).toBe(false);
  const arrived = arrivals(pair);
  const long = 'compress me '.repeat(1_000);
  writeFrames(ws, undefined, textFrames([Buffer.from('first'), Buffer.from(long)]));
  writeFrames(ws, undefined, textFrame('last'));
  ws.close(1000, 'done');
  expect(await arrived).toEqual(['text first', `text ${long}`, 'text last', 'close 1000 done']);
});

test.each(['_sender', '_socket'])('a ws whose %s is no more what it was is not gone past', async (field) => {
  const { ws, socket } = await connectPair(false);
  const known: unknown = Reflect.get(ws, field);
  Reflect.set(ws, field, undefined);
  expect(canWriteBelow(ws, socket)).toBe(false);
  Reflect.set(ws, field, known);
  expect(canWriteBelow(ws, socket)).toBe(true);
});

test('a ws that has queued something is not gone past', async () => {
  const { ws, socket } = await connectPair(false);
  const sender = Reflect.get(ws, '_sender');
  sender._queue.push([]);
  expect(canWriteBelow(ws, socket)).toBe(false);
  sender._queue.length = 0;
  sender._state = 1;
  expect(canWriteBelow(ws, socket)).toBe(false);
});
