import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  EventQueue,
  startGateway,
  startHub,
  TcpProxy,
  type TestGateway,
  type TestHub,
} from '@groupcast/testkit';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Answer, Request, Result } from './run-scenario.ts';
import { HISTORY_COUNT } from './scenarios.ts';
import type { Direction, Opening } from './stage.ts';

/**
 * Runs a hub, a gateway and a proxy on fixed ports, and carries out the directions of scenarios.
 */
export class Director {
  readonly #control = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  #hub: TestHub;
  #gateway: TestGateway;
  /** The listener on the port of the scenarios; undefined while the port is closed. */
  #door: TcpProxy | Server | undefined;
  readonly #doorPort: number;

  private constructor(hub: TestHub, gateway: TestGateway, proxy: TcpProxy) {
    this.#hub = hub;
    this.#gateway = gateway;
    this.#door = proxy;
    this.#doorPort = proxy.port;
  }

  static async start(): Promise<Director> {
    const hub = await startHub({ historyCount: HISTORY_COUNT });
    const gateway = await startGateway({ hub: hub.address, workers: 2, drainSeconds: 0 });
    const proxy = await TcpProxy.start({ target: gateway.port });
    const director = new Director(hub, gateway, proxy);
    if (director.#control.address() === null) await once(director.#control, 'listening');
    return director;
  }

  get controlUrl(): string {
    return `ws://127.0.0.1:${(this.#control.address() as AddressInfo).port}`;
  }

  /** Plays a scenario in the next runtime that connects. Returns the queue of its result. */
  async play(scenario: string): Promise<EventQueue<Result>> {
    await this.#listen();
    const results = new EventQueue<Result>(`result of "${scenario}"`);
    this.#control.once('connection', (socket) => {
      const url = `ws://127.0.0.1:${this.#doorPort}`;
      socket.send(JSON.stringify({ scenario, url, directUrl: this.#gateway.url } satisfies Opening));
      socket.on('message', (data) => {
        const request = JSON.parse(String(data)) as Request;
        if ('direction' in request) void this.#answer(socket, request);
        else {
          results.push(request);
          socket.close();
        }
      });
    });
    return results;
  }

  async close(): Promise<void> {
    await this.#stopListening();
    for (const socket of this.#control.clients) socket.terminate();
    this.#control.close();
  }

  async #answer(socket: WebSocket, request: { readonly id: number; readonly direction: Direction }) {
    const answer: Answer = await this.#carryOut(request.direction).then(
      () => ({ id: request.id }),
      (error) => ({ id: request.id, error: String(error) }),
    );
    socket.send(JSON.stringify(answer));
  }

  async #carryOut(direction: Direction): Promise<void> {
    if (direction === 'restartHub') return this.#restartHub();
    if (direction === 'killGateway' || direction === 'stopGateway') return this.#restartGateway(direction);
    if (direction === 'listen') return this.#listen();
    if (direction === 'stopListening') return this.#stopListening();
    if (direction === 'answer503') return this.#answer503();
    if (!(this.#door instanceof TcpProxy)) throw new Error('No proxy is running. Direct "listen" first.');
    if (direction === 'cut') this.#door.cut();
    else this.#door.blackhole();
  }

  /** Forwards with a new proxy, in place of the current listener. */
  async #listen(): Promise<void> {
    await this.#stopListening();
    this.#door = await TcpProxy.start({ target: this.#gateway.port, port: this.#doorPort });
  }

  async #stopListening(): Promise<void> {
    const door = this.#door;
    this.#door = undefined;
    if (door instanceof TcpProxy) await door.close();
    else if (door !== undefined) await new Promise((resolve) => door.close(resolve));
  }

  async #answer503(): Promise<void> {
    await this.#stopListening();
    const server = createServer();
    server.on('upgrade', (_, socket) => {
      socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    });
    server.listen(this.#doorPort, '127.0.0.1');
    await once(server, 'listening');
    this.#door = server;
  }

  async #restartHub(): Promise<void> {
    const { port, adminPort } = this.#hub;
    await this.#hub.kill();
    this.#hub = await startHub({ port, adminPort, historyCount: HISTORY_COUNT });
  }

  async #restartGateway(how: 'killGateway' | 'stopGateway'): Promise<void> {
    const { port, adminPort } = this.#gateway;
    if (how === 'killGateway') await this.#gateway.kill();
    else await this.#gateway.stop();
    const flags = { hub: this.#hub.address, workers: 2, drainSeconds: 0, port, adminPort };
    this.#gateway = await startGateway(flags);
  }
}
