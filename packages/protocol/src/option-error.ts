/** An option of a library that it cannot run with. `option` is its name, `message` says what to give instead. */
export class OptionError extends Error {
  override readonly name = 'OptionError';
  readonly code = 'bad_option';
  readonly option: string;

  /** `owner`: the function or class that was given the option. `problem`: the rest of a sentence that begins with its name. */
  constructor(owner: string, option: string, problem: string, options?: ErrorOptions) {
    super(`${owner}: option ${option} ${problem}.`, options);
    this.option = option;
  }
}
