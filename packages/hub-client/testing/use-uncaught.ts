import { EventQueue } from '@groupcast/testkit';
import { afterEach, beforeEach } from 'vitest';

/** Collects the uncaught exceptions of each test in a file, which would make it fail otherwise. */
export function useUncaught(): { readonly errors: EventQueue<unknown> } {
  const fixture = { errors: new EventQueue<unknown>('uncaught exception') };
  beforeEach(() => {
    fixture.errors = new EventQueue<unknown>('uncaught exception');
    process.setUncaughtExceptionCaptureCallback((error) => fixture.errors.push(error));
  });
  afterEach(() => process.setUncaughtExceptionCaptureCallback(null));
  return fixture;
}
