import { expect, test } from 'vitest';
import { nodeVersionProblem } from './node-version.ts';

test.each(['20.20.2', 'v20.20.2', '20.20.10', '20.21.0', 'v22.0.0', '100.0.0', 'v23.0.0-nightly2024'])(
  '%s is new enough',
  (version) => {
    expect(nodeVersionProblem(version)).toBeUndefined();
  },
);

test.each(['20.20.1', 'v20.9.9', '18.99.99', '9.0.0', '', 'nonsense'])('%j is too old', (version) => {
  expect(nodeVersionProblem(version)).toBe(
    `Node 20.20.2 or newer is needed, and this is ${version}: install it from https://nodejs.org.`,
  );
});
