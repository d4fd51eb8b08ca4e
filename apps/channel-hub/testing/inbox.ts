/** What came, in order: to be looked at whole, or taken and waited for one after another. */
export class Inbox<Message> {
  /** Everything that ever came. */
  readonly all: Message[] = [];
  /** Pending messages, from `#first` on. */
  #untaken: Message[] = [];
  #first = 0;
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
      const message = this.#takeFirst(isWanted);
      if (message !== undefined) return message;
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#onMessage.push(resolve);
      });
    }
  }

  /** In constant time where the oldest message is wanted: a burst has 50,000 of them. */
  #takeFirst<Wanted extends Message>(isWanted: (message: Message) => message is Wanted): Wanted | undefined {
    for (let index = this.#first; index < this.#untaken.length; index++) {
      const message = this.#untaken[index] as Message;
      if (!isWanted(message)) continue;
      if (index > this.#first) {
        this.#untaken.splice(index, 1);
        return message;
      }
      this.#first += 1;
      if (this.#first > this.#untaken.length / 2) {
        this.#untaken = this.#untaken.slice(this.#first);
        this.#first = 0;
      }
      return message;
    }
    return undefined;
  }

  #wake(): void {
    for (const resolve of this.#onMessage.splice(0)) resolve();
  }
}
