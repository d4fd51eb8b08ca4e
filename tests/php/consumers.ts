import { HubClient, type QueueItem } from '@groupcast/hub-client';
import { decodeText } from '@groupcast/protocol';
import { TcpProxy, type TestProcess } from '@groupcast/testkit';
import { startPhp } from './start-php.ts';

/** A consumer of a queue that continues after each strike. */
export interface Consumer {
  /** Items that it has done, in order; one that was done twice is there twice. */
  readonly done: readonly string[];
  /** Reasons for which it ended by itself. */
  readonly failures: readonly string[];
  /** Kills it, or cuts its link to the hub, during its work. */
  strike(): Promise<void>;
  close(): Promise<void>;
}

/** PHP processes, one after another, each until it is killed. */
export class PhpConsumer implements Consumer {
  readonly failures: string[] = [];
  readonly #port: number;
  readonly #queue: string;
  readonly #done: string[] = [];
  #child: TestProcess;
  #read = 0;

  constructor(port: number, queue: string) {
    this.#port = port;
    this.#queue = queue;
    this.#child = this.#start();
  }

  get done(): readonly string[] {
    const { all } = this.#child.lines;
    for (; this.#read < all.length; this.#read++) {
      const line = all[this.#read] ?? '';
      if (line.startsWith('done ')) this.#done.push(line.slice('done '.length));
    }
    return this.#done;
  }

  async strike(): Promise<void> {
    // Wait for its start: a process without work has no lease to lose.
    await this.#child.waitForLine(/^watching$/);
    await this.close();
    this.#read = 0;
    this.#child = this.#start();
  }

  async close(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#child.finished;
    // The last lines of its output.
    void this.done;
  }

  #start(): TestProcess {
    const child = startPhp('consume', this.#port, this.#queue);
    void child.finished.then(({ code, signal }) => {
      if (signal !== 'SIGKILL') this.failures.push(`${code}: ${child.stderr}`);
    });
    return child;
  }
}

/** A HubClient whose link is cut. */
export class ClientConsumer implements Consumer {
  readonly done: string[] = [];
  readonly failures: readonly string[] = [];
  readonly #proxy: TcpProxy;
  readonly #client: HubClient;

  private constructor(proxy: TcpProxy) {
    this.#proxy = proxy;
    this.#client = new HubClient({ port: proxy.port, reconnect: { minMs: 1, maxMs: 20 } });
  }

  static async start(port: number, queue: string): Promise<ClientConsumer> {
    const consumer = new ClientConsumer(await TcpProxy.start({ target: port }));
    consumer.#client.connect();
    consumer.#client.watch(queue, (item) => consumer.#work(item), { concurrency: 3 });
    return consumer;
  }

  strike(): Promise<void> {
    this.#proxy.cut();
    return Promise.resolve();
  }

  async close(): Promise<void> {
    this.#client.close();
    await this.#proxy.close();
  }

  async #work({ payload }: QueueItem): Promise<void> {
    // A delay, so that its link can be cut while it has work.
    await new Promise(setImmediate);
    this.done.push(decodeText(payload));
  }
}
