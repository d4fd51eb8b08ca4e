/**
 * Error of an invalid option of a library. `option` is its name, and `message` says what to give.
 */
export class OptionError extends Error {
  override readonly name = 'OptionError';
  readonly code = 'bad_option';
  readonly option: string;

  /**
   * `owner` is the function or class with the option. `problem` is the end of a sentence that
   * begins with the option's name.
   */
  constructor(owner: string, option: string, problem: string, options?: ErrorOptions) {
    super(`${owner}: option ${option} ${problem}.`, options);
    this.option = option;
  }
}
