// All that the SDK needs of its platform, in every browser and in Node. Programs that compile it
// from source have these declarations from Node's types or the DOM's.

declare function setTimeout(run: () => void, delayMs: number): number;
declare function clearTimeout(timer: number | undefined): void;
declare function setInterval(run: () => void, periodMs: number): number;
declare function clearInterval(timer: number | undefined): void;
declare function queueMicrotask(run: () => void): void;

declare const performance: { now(): number };
declare const crypto: { getRandomValues(numbers: Uint32Array): Uint32Array };
