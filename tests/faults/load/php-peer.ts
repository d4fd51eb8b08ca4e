import type { TestProcess } from '@groupcast/testkit';
import type { HistoryLog } from '../history/history-log.ts';
import { readMessage } from './message-text.ts';
import { startFaultsPhp } from './start-php.ts';

/** Interval of reading its output, in milliseconds. */
const READ_MS = 10;

/** A PHP worker that subscribes to `send_to_group`, and logs all its messages. */
export class PhpPeer {
  readonly name: string;
  readonly child: TestProcess;
  readonly #log: HistoryLog;
  readonly #lastIds: Map<string, string> = new Map();
  readonly #timer: NodeJS.Timeout;
  #isSubscribed = false;
  #read = 0;

  constructor(name: string, port: number, log: HistoryLog) {
    this.name = name;
    this.#log = log;
    this.child = startFaultsPhp('hear-groups', port);
    this.#timer = setInterval(() => this.#readOn(), READ_MS);
  }

  get isSubscribed(): boolean {
    return this.#isSubscribed;
  }

  lastId(group: string): string | undefined {
    return this.#lastIds.get(group);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #readOn(): void {
    const { all } = this.child.lines;
    for (; this.#read < all.length; this.#read++) this.#take(all[this.#read] ?? '');
  }

  #take(line: string): void {
    const [word = '', group = ''] = line.split(' ', 2);
    const peer = this.name;
    if (word === 'connected') this.#log.add({ type: 'php-connected', peer });
    else if (word === 'lost') {
      this.#isSubscribed = false;
      this.#log.add({ type: 'php-lost', peer });
    } else if (word === 'subscribed') {
      this.#isSubscribed = true;
    } else if (word === 'heard') {
      const { id, intact } = readMessage(line.slice(`heard ${group} `.length));
      this.#lastIds.set(group, id);
      this.#log.add({ type: 'php-heard', peer, group, id, intact });
    }
  }
}
