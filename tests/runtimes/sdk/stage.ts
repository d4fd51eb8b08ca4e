import { type Group, GroupcastClient, type GroupcastClientOptions, type Message } from '@groupcast/client';

/** Commands that the test carries out for a scenario: `Director` has one method for each. */
export type Direction =
  | 'answer503'
  | 'cut'
  | 'killGateway'
  | 'listen'
  | 'restartHub'
  | 'stopForwarding'
  | 'stopGateway'
  | 'stopListening';

/** First message of the test on the control connection. */
export interface Opening {
  readonly scenario: string;
  /** The gateway, behind a proxy that follows the directions. */
  readonly url: string;
  /** The same gateway, without the proxy. */
  readonly directUrl: string;
}

export type Options = Partial<GroupcastClientOptions>;

/** Creates the clients of a scenario and sends its directions to the test. */
export class Stage {
  readonly #opening: Opening;
  readonly #direct: (direction: Direction) => Promise<void>;
  readonly #options: Options;
  readonly #clients: GroupcastClient[] = [];

  constructor(opening: Opening, options: Options, direct: (direction: Direction) => Promise<void>) {
    this.#opening = opening;
    this.#options = options;
    this.#direct = direct;
  }

  /** Connects a client through the proxy. It is closed when the scenario ends. */
  connect(options: Options = {}): GroupcastClient {
    return this.#connect(this.#opening.url, options);
  }

  /** Connects a client past the proxy. */
  connectDirectly(options: Options = {}): GroupcastClient {
    return this.#connect(this.#opening.directUrl, options);
  }

  direct(direction: Direction): Promise<void> {
    return this.#direct(direction);
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }

  #connect(url: string, options: Options): GroupcastClient {
    const client = new GroupcastClient(url, { reconnectMaxMs: 1_000, ...this.#options, ...options });
    this.#clients.push(client);
    return client;
  }
}

/** Resolves with the event when the client enters the state. */
export function nextState(
  client: GroupcastClient,
  state: GroupcastClient['state'],
): Promise<{ readonly waitMs: number | undefined; readonly closeCode: number | undefined }> {
  return new Promise((resolve) => {
    const off = client.on('state', (event) => {
      if (event.state !== state) return;
      off();
      resolve({ waitMs: event.waitMs, closeCode: event.error?.closeCode });
    });
  });
}

/** Resolves when the client is open. */
export async function opened(client: GroupcastClient): Promise<void> {
  if (client.state !== 'open') await nextState(client, 'open');
}

/** The messages of a group from now on. */
export class Inbox {
  readonly messages: Message[] = [];
  readonly #waiting: (() => void)[] = [];

  constructor(group: Group) {
    group.on('message', (message) => {
      this.messages.push(message);
      for (const retry of this.#waiting.splice(0)) retry();
    });
  }

  /** Resolves with all texts when there are `count` of them. */
  async texts(count: number): Promise<unknown[]> {
    while (this.messages.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.messages.map(({ message }) => message);
  }
}
