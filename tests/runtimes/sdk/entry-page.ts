import { runScenario } from './run-scenario.ts';

// Entry of the bundle for Chromium and jsdom: defines `runScenario(controlUrl)`.
Object.assign(globalThis, {
  runScenario: (controlUrl: string) => runScenario(controlUrl, WebSocket),
});
