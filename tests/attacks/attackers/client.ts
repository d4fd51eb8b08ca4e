import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { Did } from './attack.ts';

/** A client that ignores most messages, and reconnects when it is closed. */
export class HostileClient {
  readonly #url: string;
  readonly #did: Did;
  #socket: WebSocket;
  #isOver = false;

  private constructor(port: number, did: Did, over: AbortSignal) {
    this.#url = `ws://127.0.0.1:${port}`;
    this.#did = did;
    this.#socket = this.#connect();
    over.addEventListener('abort', () => {
      this.#isOver = true;
      this.#socket.terminate();
    });
  }

  /** Resolves when `count` clients are connected. */
  static open(count: number, port: number, did: Did, over: AbortSignal): Promise<HostileClient[]> {
    const open = async (): Promise<HostileClient> => {
      const client = new HostileClient(port, did, over);
      await once(client.#socket, 'open');
      return client;
    };
    return Promise.all(Array.from({ length: count }, open));
  }

  /** Sends if the connection is open; a client that is connecting skips the message. */
  send(text: string): void {
    const isOpen = this.#socket.readyState === WebSocket.OPEN;
    this.#did(isOpen ? 'sent' : 'not connected');
    if (isOpen) this.#socket.send(text);
  }

  #connect(): WebSocket {
    const socket = new WebSocket(this.#url);
    socket.on('error', () => {});
    socket.on('message', (data: Buffer) => {
      const [code] = /"code":"\w+"/.exec(data.toString('latin1', 0, 200)) ?? [];
      if (code !== undefined) this.#did(code);
    });
    socket.on('close', (code) => {
      if (this.#isOver) return;
      this.#did(`closed ${code}`);
      this.#socket = this.#connect();
    });
    return socket;
  }
}

/** Sends commands as a plain client, and resolves with the answers. */
export async function ask(port: number, ...commands: readonly object[]): Promise<Record<string, unknown>[]> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`);
  await once(socket, 'open');
  const answers: Record<string, unknown>[] = [];
  for (const [index, command] of commands.entries()) {
    socket.send(JSON.stringify({ ...command, id: index }));
    const [data] = (await once(socket, 'message')) as [Buffer];
    answers.push(JSON.parse(data.toString()));
  }
  socket.terminate();
  return answers;
}
