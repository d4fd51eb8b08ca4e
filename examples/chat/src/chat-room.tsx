import type { FormEvent } from 'react';
import type { Entry } from './entries.ts';
import { useChat } from './use-chat.ts';

export function ChatRoom({ name, groupId }: { name: string; groupId: string }) {
  const { entries, error, send } = useChat(groupId);

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const form = event.currentTarget;
    void send(name, String(new FormData(form).get('text')));
    form.reset();
  }

  return (
    <section aria-label={groupId}>
      <ol role="log">
        {entries.map((entry) => (
          <Line key={entry.key} entry={entry} />
        ))}
      </ol>
      {error && <p role="alert">{error.message}</p>}
      <form onSubmit={submit}>
        <input name="text" aria-label="Message" placeholder="Message" required maxLength={1_000} />
        <button type="submit">Send</button>
      </form>
    </section>
  );
}

function Line({ entry }: { entry: Entry }) {
  const { kind, name, text, at } = entry;
  if (kind === 'gap') return <li className="gap">Messages may be missing here.</li>;
  return (
    <li>
      <b>{name}</b> <time dateTime={new Date(at).toISOString()}>{new Date(at).toLocaleTimeString()}</time>
      <p>{text}</p>
    </li>
  );
}
