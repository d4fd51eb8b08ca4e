import type { Order, Report } from '../control/messages.ts';
import { Generator } from './generator.ts';

/** Runs a generator process: executes its parent's orders, and ends when the parent has ended. */
export function runGenerator(): void {
  let generator: Generator | undefined;
  const report = (message: Report): void => {
    // The parent may have ended; `disconnect` reports that and ends this process.
    if (process.connected) process.send?.(message);
  };
  // A Ctrl-C in a terminal reaches all processes. The parent decides how to react.
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
