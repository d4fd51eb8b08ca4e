/** What came, in order: to be looked at whole, or taken and waited for one after another. */
export class Inbox<Message> {
  /** Everything that ever came. */
  readonly all: Message[] = [];
  readonly #untaken: Message[] = [];
  #onMessage: (() => void)[] = [];
  #failure: Error | undefined;

  push(message: Message): void {
    this.all.push(message);
    this.#untaken.push(message);
    this.#wake();
  }

  /** Nothing more will come: who still waits fails with this sentence. */
  end(sentence: string): void {
    this.#failure = new Error(sentence);
    this.#wake();
  }

  /** The first message, not taken before, that is one of these. */
  async take<Wanted extends Message>(isWanted: (message: Message) => message is Wanted): Promise<Wanted> {
    for (;;) {
      const index = this.#untaken.findIndex(isWanted);
      const [message] = index < 0 ? [] : this.#untaken.splice(index, 1);
      if (message !== undefined && isWanted(message)) return message;
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#onMessage.push(resolve);
      });
    }
  }

  #wake(): void {
    for (const resolve of this.#onMessage.splice(0)) resolve();
  }
}
