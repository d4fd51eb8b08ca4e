import type { WebSocketConstructor } from '@groupcast/client';
import { runScenario } from './run-scenario.ts';

// Entry of the bundle for Node, Bun and Deno: the control address is the only argument.
const [, , controlUrl = ''] = process.argv;
const { WebSocket: own } = globalThis as { readonly WebSocket?: WebSocketConstructor };
if (own === undefined) {
  void import('ws').then(({ WebSocket }) => runScenario(controlUrl, WebSocket, { WebSocket }));
} else {
  runScenario(controlUrl, own as never);
}
