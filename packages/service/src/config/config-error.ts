/**
 * The configuration cannot be used. `problems` holds every problem at once, one sentence each, which names the source
 * (flag, environment variable or file), the value, and what is allowed. The message is all of them, one a line.
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
