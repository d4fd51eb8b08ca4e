import { type Browser, chromium } from 'playwright-core';
import { findChromium } from './find-chromium.ts';

// The sandbox needs rights that containers lack. The other flags keep the browser from contacting
// other hosts.
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * True when browser tests are skipped, because Chromium is not installed. In CI they fail instead.
 */
export const withoutBrowser: boolean = findChromium() === undefined && process.env['CI'] !== 'true';

/** Returns the options that start the system's Chromium. Throws if it is not installed. */
export function chromiumOptions(): { executablePath: string; args: string[] } {
  const executablePath = findChromium();
  if (executablePath === undefined) {
    throw new Error('Chromium is not on the PATH. Install it: apt-get install chromium');
  }
  return { executablePath, args: FLAGS };
}

/**
 * Starts the system's Chromium without a window. The caller closes it. `cachesPages` turns on the
 * back/forward cache, which Playwright turns off.
 */
export async function openBrowser({ cachesPages = false } = {}): Promise<Browser> {
  const ignoreDefaultArgs = cachesPages ? ['--disable-back-forward-cache'] : [];
  return chromium.launch({ ...chromiumOptions(), ignoreDefaultArgs });
}
