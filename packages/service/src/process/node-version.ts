/** Oldest Node with the security fixes that are needed, such as that for numeric header names. */
const NODE_VERSION_MIN = '20.20.2';

/** Returns one sentence if the version `found`, such as `20.20.2` or `v22.1.0`, is too old. */
export function nodeVersionProblem(found: string): string | undefined {
  const actual = versionNumbers(found);
  const needed = versionNumbers(NODE_VERSION_MIN);
  for (const [index, least] of needed.entries()) {
    const number = actual[index] ?? 0;
    if (number > least) return undefined;
    if (number < least) {
      return `Node ${NODE_VERSION_MIN} or newer is needed, and this is ${found}: install it from https://nodejs.org.`;
    }
  }
  return undefined;
}

// A pre-release of the version that is needed ("20.20.2-rc.1") counts as that version.
function versionNumbers(version: string): readonly number[] {
  return version
    .replace(/^v/, '')
    .split('.')
    .map((part) => Number.parseInt(part, 10) || 0);
}
