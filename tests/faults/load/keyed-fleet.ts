import { setTimeout as delay } from 'node:timers/promises';
import { HubClient, type KeyedMap, type KeyedValue, ProtocolError } from '@groupcast/hub-client';
import { decodeText } from '@groupcast/protocol';
import { until } from '@groupcast/testkit';
import type { Random } from '../random.ts';

const CHANNEL = 'fleet';
const KEYS_PER_WRITER = 10;

/** Share of changes that remove the key. */
const REMOVALS = 0.2;
const PAUSE_MS = 10;

/** One live map, and the order of the values that it shows. */
class Reader {
  readonly map: KeyedMap;
  readonly faults: string[] = [];
  /** Number of the newest value seen, by key. */
  readonly #seen: Map<string, number> = new Map();
  #loads = 0;

  /** `lastSent` returns the number of the newest value that was sent for a key. */
  constructor(map: KeyedMap, lastSent: (key: string) => number) {
    this.map = map;
    map.on('ready', () => {
      this.#loads += 1;
    });
    map.on('change', (key, value) => this.#check(key, value, lastSent(key)));
  }

  get loads(): number {
    return this.#loads;
  }

  #check(key: string, value: KeyedValue | undefined, lastSent: number): void {
    if (value === undefined) return;
    const [of = '', text = ''] = textOf(value).split(' ');
    const number = Number(text);
    const seen = this.#seen.get(key) ?? 0;
    if (of !== key) this.faults.push(`${key} has the value of ${of}`);
    if (!(number >= 1 && number <= lastSent)) this.faults.push(`${key} has ${text}, which was never sent`);
    // While a map loads, an older value may come before the newer one.
    if (this.map.isReady && number < seen) this.faults.push(`${key} went back from ${seen} to ${number}`);
    this.#seen.set(key, Math.max(seen, number));
  }
}

/** Peers of a hub that share a keyed channel. Each has a live map, and keys of its own to write. */
export class KeyedFleet {
  readonly readers: readonly Reader[];
  readonly #clients: readonly HubClient[];
  readonly #random: Random;
  /** Number of the newest value, by key. */
  readonly #numbers: Map<string, number> = new Map();
  /** Values at the end. */
  readonly #model: Map<string, string> = new Map();
  readonly #running: Promise<void>;
  #isStopped = false;
  #published = 0;

  /** Connects one peer to each port. */
  constructor(ports: readonly number[], random: Random) {
    this.#random = random;
    this.#clients = ports.map((port) => new HubClient({ port }));
    for (const client of this.#clients) client.connect();
    const maps = this.#clients.map((client) => client.keyed(CHANNEL));
    this.readers = maps.map((map) => new Reader(map, (key) => this.#numbers.get(key) ?? 0));
    this.#running = Promise.all(maps.map((map, index) => this.#write(map, index))).then(() => {});
  }

  /** Changes that the hub accepted. */
  get published(): number {
    return this.#published;
  }

  /** Writes a last value of each key, or none, and waits until all maps have them. */
  async drain(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
    await Promise.all(this.readers.map(({ map }, index) => this.#writeLast(map, index)));
    await until(
      () => this.readers.filter(({ map }) => !map.isReady || !this.#isModel(map)).length,
      'the live maps to have the last values',
      (left) => left === 0,
    );
  }

  close(): void {
    this.#isStopped = true;
    for (const client of this.#clients) client.close();
  }

  async #write(map: KeyedMap, writer: number): Promise<void> {
    while (!this.#isStopped) {
      const key = keyOf(writer, this.#random.between(0, KEYS_PER_WRITER - 1));
      await this.#change(map, key, this.#random.next() < REMOVALS);
      await delay(PAUSE_MS);
    }
  }

  async #writeLast(map: KeyedMap, writer: number): Promise<void> {
    for (let index = 0; index < KEYS_PER_WRITER; index++) {
      const key = keyOf(writer, index);
      while (!(await this.#change(map, key, index % 3 === 0))) await delay(PAUSE_MS);
    }
  }

  /** Resolves with whether the hub accepted the change. Its outcome may be unknown otherwise. */
  async #change(map: KeyedMap, key: string, isRemoval: boolean): Promise<boolean> {
    const number = (this.#numbers.get(key) ?? 0) + 1;
    this.#numbers.set(key, number);
    const text = `${key} ${number}`;
    try {
      await (isRemoval ? map.delete(key) : map.set(key, text));
    } catch (error) {
      if (error instanceof ProtocolError) return false;
      throw error;
    }
    this.#published += 1;
    if (isRemoval) this.#model.delete(key);
    else this.#model.set(key, text);
    return true;
  }

  #isModel(map: KeyedMap): boolean {
    if (map.size !== this.#model.size) return false;
    return [...map.entries()].every(([key, value]) => this.#model.get(key) === textOf(value));
  }
}

function keyOf(writer: number, index: number): string {
  return `w${writer}-${index}`;
}

function textOf({ payload }: KeyedValue): string {
  return decodeText(payload) ?? '';
}
