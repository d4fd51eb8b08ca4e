/**
 * How long anything in a test is waited for, in milliseconds: long past what a busy machine needs
 * to start a service, so that no test is about speed.
 */
export const WAIT_MS = 30_000;
