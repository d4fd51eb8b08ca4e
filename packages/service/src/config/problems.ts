import { OptionError } from '@groupcast/protocol';
import { ConfigError } from './config-error.ts';

/** Collects the problems of a configuration, so that one run of a command shows all of them. */
export class Problems {
  readonly #sentences: string[] = [];

  add(sentence: string): void {
    this.#sentences.push(sentence);
  }

  /**
   * Returns the result of `read`, or `otherwise` where it throws ConfigError or OptionError, which
   * is kept.
   */
  collect<T>(read: () => T, otherwise: T): T {
    try {
      return read();
    } catch (error) {
      if (error instanceof ConfigError) this.#sentences.push(...error.problems);
      else if (error instanceof OptionError) this.#sentences.push(error.message);
      else throw error;
      return otherwise;
    }
  }

  /** Throws ConfigError with all problems, if there are any. */
  throwIfAny(): void {
    if (this.#sentences.length > 0) throw new ConfigError(this.#sentences);
  }
}
