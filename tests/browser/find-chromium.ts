import { findProgram } from '../find-program.ts';

/** Returns the path of the system's Chromium, or `undefined` when it is not installed. */
export function findChromium(): string | undefined {
  return findProgram('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable');
}
