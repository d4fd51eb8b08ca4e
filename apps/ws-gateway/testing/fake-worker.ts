import cluster, { type Worker } from 'node:cluster';
import { EventEmitter } from 'node:events';
import { vi } from 'vitest';
import type { FromWorker, ToWorker, WorkerOptions, WorkerReport } from '../src/processes/messages.ts';

const ADDRESS = { address: '127.0.0.1', port: 1, family: 'IPv4' };

/**
 * A worker without a process. Like a real one it loses what it is told before it is loaded, and
 * does what it is told; but it loads, reaches the hub and ends only when the test says so.
 */
export class FakeWorker extends EventEmitter {
  readonly heard: ToWorker['type'][] = [];
  readonly process = { pid: 1, kill: vi.fn(() => this.end('SIGKILL')) };
  /** Environment of its start. */
  options: WorkerOptions | undefined;
  /** Whether it was told that the gateway is ready. Its other orders are in `heard`. */
  isReady = false;
  /** State of its hub client, in its reports. */
  hub: 'open' | 'waiting' = 'open';
  /** Error of its answer to the order to listen. */
  listenError: string | undefined;
  /** Whether it answers when it is told to take no more connections. */
  retires = true;
  #loaded = false;
  #ended = false;

  isConnected(): boolean {
    return !this.#ended;
  }

  send(message: ToWorker): void {
    if (!this.#loaded) return;
    if (message.type === 'ready') {
      this.isReady = message.isReady;
      return;
    }
    this.heard.push(message.type);
    if (message.type === 'start') this.options = message.options;
    if (message.type === 'listen' || (message.type === 'start' && message.listen)) this.#listen();
    if (message.type === 'retire' && this.retires) this.say({ type: 'retired' });
    if (message.type === 'report') {
      const report = { index: this.options?.index, hub: { state: this.hub } } as WorkerReport;
      const { request } = message;
      setImmediate(() => this.say({ type: 'report', request, report }));
    }
  }

  say(message: FromWorker): void {
    this.emit('message', message);
  }

  load(): void {
    this.#loaded = true;
    this.say({ type: 'loaded' });
  }

  link(): void {
    this.say({ type: 'beat', linked: true });
  }

  end(how: number | NodeJS.Signals): void {
    if (this.#ended) return;
    this.#ended = true;
    this.emit('exit', typeof how === 'number' ? how : null, typeof how === 'number' ? null : how);
  }

  #listen(): void {
    if (this.listenError === undefined) this.say({ type: 'listening', address: ADDRESS });
    else this.say({ type: 'failed', code: this.listenError, message: 'no' });
  }
}

/**
 * From now on the cluster module makes these, until mocks are restored: all that were made so far,
 * in order.
 */
export function fakeWorkers(): FakeWorker[] {
  const workers: FakeWorker[] = [];
  vi.spyOn(cluster, 'fork').mockImplementation(() => {
    const worker = new FakeWorker();
    workers.push(worker);
    return worker as unknown as Worker;
  });
  return workers;
}
