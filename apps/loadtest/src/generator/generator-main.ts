import type { Order, Report } from '../control/messages.ts';
import { Generator } from './generator.ts';

/** The whole life of a generator process: does what its parent orders, and ends when the parent is gone. */
export function runGenerator(): void {
  let generator: Generator | undefined;
  const report = (message: Report): void => {
    // The parent may be gone; `disconnect` says so and ends this process.
    if (process.connected) process.send?.(message);
  };
  // A Ctrl-C in a terminal reaches all processes. What it means is the parent's to say.
  process.on('SIGINT', () => {});
  process.on('disconnect', () => {
    generator?.close();
    process.exit();
  });
  process.on('message', (order: Order) => {
    if (order.type === 'assign') {
      generator = new Generator(order.assignment, report);
      report({ type: 'ready' });
    } else {
      generator?.take(order);
    }
  });
}
