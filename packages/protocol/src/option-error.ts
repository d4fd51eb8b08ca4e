/** An option that a library cannot run with. `option` is its name, `message` says what to give instead. */
export class OptionError extends Error {
  override readonly name = 'OptionError';
  readonly code = 'bad_option';
  readonly option: string;

  /**
   * `owner` is the function or class that was given the option, `problem` the rest of a sentence that begins with
   * the option's name.
   */
  constructor(owner: string, option: string, problem: string, options?: ErrorOptions) {
    super(`${owner}: option ${option} ${problem}.`, options);
    this.option = option;
  }
}
