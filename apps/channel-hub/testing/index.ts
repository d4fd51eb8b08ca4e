// Test helpers of the hub for the suites of other packages.
export { MemoryEngine } from '../src/engine/memory/memory-engine.ts';
export { MemoryHub } from './memory-hub.ts';
export type { MemorySocket } from './memory-socket.ts';
