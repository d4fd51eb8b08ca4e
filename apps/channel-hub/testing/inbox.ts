/** Received messages in order: all of them, or one after another with `take`. */
export class Inbox<Message> {
  /** All messages received so far. */
  readonly all: Message[] = [];
  /** Pending messages, from `#first` on. */
  #unread: Message[] = [];
  #first = 0;
  #onMessage: (() => void)[] = [];
  #failure: Error | undefined;

  push(message: Message): void {
    this.all.push(message);
    this.#unread.push(message);
    this.#wake();
  }

  /** Ends the inbox: pending and later calls of `take` fail with this message. */
  end(sentence: string): void {
    this.#failure = new Error(sentence);
    this.#wake();
  }

  /** Resolves with the first matching message that was not taken before. */
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
    for (let index = this.#first; index < this.#unread.length; index++) {
      const message = this.#unread[index] as Message;
      if (!isWanted(message)) continue;
      if (index > this.#first) {
        this.#unread.splice(index, 1);
        return message;
      }
      this.#first += 1;
      if (this.#first > this.#unread.length / 2) {
        this.#unread = this.#unread.slice(this.#first);
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
