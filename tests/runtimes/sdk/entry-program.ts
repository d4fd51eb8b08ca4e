import type { WebSocketConstructor } from '@groupcast/client';
import { runScenario } from './run-scenario.ts';

// Entry of the bundle for Node, Bun and Deno. The last argument is the control address. `ws` before
// it selects the WebSocket of ws.
const [, , ...args] = process.argv;
const controlUrl = args.at(-1) ?? '';
const { WebSocket: own } = globalThis as { readonly WebSocket?: WebSocketConstructor };
if (own === undefined || args.includes('ws')) {
  void import('ws').then(({ WebSocket }) => runScenario(controlUrl, WebSocket, { WebSocket }));
} else {
  runScenario(controlUrl, own as never);
}
