import { createHub, MemoryEngine } from '@groupcast/hub';
import { PlainRingEngine } from './plain-ring-history.ts';

// A program: a hub with one of two engines, otherwise with defaults.
//
//     embedded-hub.ts PORT memory|ring

const [port, engine] = process.argv.slice(2);
await createHub({
  port: Number(port),
  engine: engine === 'ring' ? new PlainRingEngine() : new MemoryEngine(),
}).listen();
