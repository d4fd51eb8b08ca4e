import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FairQueue } from './fair-queue.ts';

type Step =
  | { readonly name: 'add' | 'remove'; readonly owner: number; readonly thing: number }
  | { readonly name: 'take' };

/** The same rules, on plain lists. */
class ListQueue {
  readonly #lists: { readonly owner: number; readonly things: string[] }[] = [];

  add(owner: number, thing: string): void {
    const list = this.#lists.find((one) => one.owner === owner);
    if (list === undefined) this.#lists.push({ owner, things: [thing] });
    else if (!list.things.includes(thing)) list.things.push(thing);
  }

  remove(owner: number, thing: string): void {
    const index = this.#lists.findIndex((one) => one.owner === owner);
    const things = this.#lists[index]?.things;
    if (things === undefined) return;
    if (things.includes(thing)) things.splice(things.indexOf(thing), 1);
    if (things.length === 0) this.#lists.splice(index, 1);
  }

  take(): string | undefined {
    const list = this.#lists.shift();
    const thing = list?.things.shift();
    if (list !== undefined && list.things.length > 0) this.#lists.push(list);
    return thing;
  }
}

const number = fc.nat({ max: 4 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    name: fc.constantFrom('add' as const, 'add' as const, 'remove' as const),
    owner: number,
    thing: number,
  }),
  fc.constant({ name: 'take' as const }),
);

describe('FairQueue', () => {
  test('takes one entry of each owner in turn, whatever is added and removed meanwhile', () => {
    const owners = [{}, {}, {}, {}, undefined];
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const queue = new FairQueue<string>();
        const lists = new ListQueue();
        for (const one of steps) {
          if (one.name === 'take') expect(queue.take()).toBe(lists.take());
          else {
            const thing = `${one.owner} ${one.thing}`;
            queue[one.name](owners[one.owner], thing);
            lists[one.name](one.owner, thing);
          }
        }
        for (let left = lists.take(); left !== undefined; left = lists.take())
          expect(queue.take()).toBe(left);
        expect(queue.take()).toBeUndefined();
      }),
      { numRuns: 1_000 },
    );
  });
});
