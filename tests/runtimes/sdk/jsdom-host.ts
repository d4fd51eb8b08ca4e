import { readFileSync } from 'node:fs';
import { JSDOM, VirtualConsole } from 'jsdom';

// A process with one jsdom window, which has the globals of jsdom and none of Node, as under Jest.
// Arguments: the bundle, the control address.
const [, , bundle = '', controlUrl = ''] = process.argv;
const virtualConsole = new VirtualConsole();
virtualConsole.on('jsdomError', (error) => {
  process.exitCode = 1;
  process.stderr.write(`${error.stack}\n`);
});
const { window } = new JSDOM('', { url: 'http://127.0.0.1/', runScripts: 'outside-only', virtualConsole });
window.eval(`${readFileSync(bundle, 'utf8')}\nrunScenario(${JSON.stringify(controlUrl)});`);
