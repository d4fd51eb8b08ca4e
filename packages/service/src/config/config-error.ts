/**
 * An invalid configuration. `problems` has one sentence for every problem: the source (flag,
 * environment variable or file), the value, and what is allowed. The message has all of them, one
 * per line.
 */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'invalid_config';
  readonly problems: readonly string[];

  constructor(problems: readonly string[], options?: ErrorOptions) {
    super(problems.join('\n'), options);
    this.problems = Object.freeze([...problems]);
  }
}
