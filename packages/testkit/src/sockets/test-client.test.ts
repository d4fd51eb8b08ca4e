import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { TestClient } from './test-client.ts';

let http: Server;
let sockets: WebSocketServer;
let url: string;

beforeEach(async () => {
  http = createServer().listen(0, '127.0.0.1');
  sockets = new WebSocketServer({ server: http });
  await once(http, 'listening');
  url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}`;
});

afterEach(async () => {
  for (const socket of sockets.clients) socket.terminate();
  sockets.close();
  http.close();
  await once(http, 'close');
});

test('misses nothing, not even frames in one chunk with the upgrade', async () => {
  sockets.on('connection', (socket: WebSocket) => {
    socket.send('first');
    socket.send('{"type":"ack","id":7}');
    socket.close(1012, 'restart');
  });
  const client = await TestClient.open(url);
  expect((await client.next()).text).toBe('first');
  expect(await client.reply(7)).toEqual({ type: 'ack', id: 7 });
  expect(await client.closed).toEqual({ code: 1012, reason: 'restart' });
  await expect(client.next()).rejects.toThrow('1012 restart');
  expect(client.messages.all.map(({ json }) => json)).toEqual([undefined, { type: 'ack', id: 7 }]);
});

test('sends commands, texts and bytes, and requests a subprotocol', async () => {
  sockets.on('connection', (socket: WebSocket) => {
    socket.on('message', (data, isBinary) => socket.send(`${isBinary ? 'binary' : 'text'} ${String(data)}`));
  });
  const client = await TestClient.open(url, { protocol: 'groupcast.v1' });
  expect(client.protocol).toBe('groupcast.v1');
  client.sendCommand({ cmd: 'ping' });
  client.sendText('x');
  client.sendBinary(Uint8Array.of(0x79));
  await client.nextMatching(({ text }) => text === 'binary y');
  expect(client.messages.all.map(({ text }) => text)).toEqual(['text {"cmd":"ping"}', 'text x', 'binary y']);
  expect(await client.close()).toEqual({ code: 1000, reason: '' });
});

test('counts pings, and leaves them unanswered when told to', async () => {
  const ponged: string[] = [];
  sockets.on('connection', (socket: WebSocket) => {
    socket.on('pong', (data) => ponged.push(String(data)));
    socket.on('message', () => socket.send('heard'));
    socket.ping('alive?');
  });
  const client = await TestClient.open(url, { autoPong: false });
  expect(String(await client.pings.next())).toBe('alive?');
  client.sendText('x');
  await client.next();
  expect(ponged).toEqual([]);
  client.terminate();
  expect((await client.closed).code).toBe(1006);
});

test('reports the status of a rejected upgrade', async () => {
  sockets.options.verifyClient = (_info, answer) => answer(false, 403);
  await expect(TestClient.open(url)).rejects.toThrow('403');
});
