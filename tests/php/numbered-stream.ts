import type { TestProcess } from '@groupcast/testkit';
import { startPhp, startSubscriber } from './start-php.ts';

/** Values that a follower received between two losses of its connection. */
interface Life {
  /** Time at which its subscriptions became active, by the clock of this host, in microseconds. */
  subscribedAt: number | undefined;
  readonly got: { readonly number: number; readonly md5: string }[];
}

/** A PHP process that publishes random values with their numbers until it is killed. */
export class NumberedPublisher {
  readonly child: TestProcess;
  readonly #published: { readonly md5: string; readonly at: number }[] = [];
  #read = 0;

  constructor(port: number, event: string, seed: number) {
    this.child = startPhp('publish-numbered', port, event, seed, 5);
  }

  /** Returns the MD5s of `count` values, from a number on. */
  md5s(from: number, count: number): string[] {
    return this.#all.slice(from, from + count).map(({ md5 }) => md5);
  }

  /** Returns the number of the first value published after a moment; Infinity without one. */
  firstAfter(moment: number): number {
    const published = this.#all;
    let first = published.length;
    while (first > 0 && (published[first - 1]?.at ?? 0) > moment) first -= 1;
    return first < published.length ? first : Infinity;
  }

  get #all(): readonly { readonly md5: string; readonly at: number }[] {
    const { all } = this.child.lines;
    for (; this.#read < all.length; this.#read++) {
      const [word, number, md5 = '', at] = (all[this.#read] ?? '').split(' ');
      if (word === 'published') this.#published[Number(number)] = { md5, at: Number(at) };
    }
    return this.#published;
  }
}

/** A PHP process that prints the values that it receives. */
export class NumberedFollower {
  readonly child: TestProcess;
  readonly publisher: NumberedPublisher;
  readonly #lives: Life[] = [{ subscribedAt: undefined, got: [] }];
  #refusals = 0;
  #read = 0;

  private constructor(child: TestProcess, publisher: NumberedPublisher) {
    this.child = child;
    this.publisher = publisher;
  }

  static async start(port: number, event: string, publisher: NumberedPublisher): Promise<NumberedFollower> {
    return new NumberedFollower(await startSubscriber('follow-numbered', port, event), publisher);
  }

  /** The last life is not over. */
  get lives(): readonly Life[] {
    this.#readOn();
    return this.#lives;
  }

  get life(): Life {
    return this.lives.at(-1) as Life;
  }

  /**
   * Returns the number of the first value that it must receive in this life; Infinity without one.
   */
  get due(): number {
    return this.publisher.firstAfter(this.life.subscribedAt ?? Infinity);
  }

  /** Attempts to connect without a hub. */
  get refusals(): number {
    this.#readOn();
    return this.#refusals;
  }

  #readOn(): void {
    const { all } = this.child.lines;
    for (; this.#read < all.length; this.#read++) this.#take(all[this.#read] ?? '');
  }

  #take(line: string): void {
    const [word, number, md5 = ''] = line.split(' ');
    const life = this.#lives.at(-1) as Life;
    if (word === 'got') life.got.push({ number: Number(number), md5 });
    else if (word === 'subscribed') life.subscribedAt = Number(number);
    else if (word === 'lost') this.#lives.push({ subscribedAt: undefined, got: [] });
    else if (word === 'refused') this.#refusals += 1;
  }
}
