// For suites of other packages: what the hub's own tests use.
export { MemoryEngine } from '../src/engine/memory/memory-engine.ts';
export { MemoryHub } from './memory-hub.ts';
export type { MemorySocket } from './memory-socket.ts';
