import { type Browser, chromium } from 'playwright-core';
import { findChromium } from './find-chromium.ts';

// The sandbox needs rights that containers do not give; the rest keeps a browser that only talks to this machine from
// looking for anything else.
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Whether browser tests are left out: there is no Chromium, and nobody insists. In CI they fail instead. */
export const withoutBrowser: boolean = findChromium() === undefined && process.env['CI'] !== 'true';

/** Starts the system's Chromium, without a window. Close it. */
export async function openBrowser(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) {
    throw new Error('There is no Chromium on the PATH: install it (apt-get install chromium).');
  }
  return chromium.launch({ executablePath, args: FLAGS });
}
