import { type FormEvent, useState } from 'react';
import { ChatRoom } from './chat-room.tsx';
import { useConnectionState } from './client.ts';

const STATES = {
  connecting: 'Connecting …',
  open: 'Connected',
  waiting: 'Offline. Trying again soon.',
  suspended: 'Paused while this page is away',
  closed: 'Closed by the gateway',
};

export function App() {
  const state = useConnectionState();
  const [joined, setJoined] = useState<{ name: string; groupId: string }>();

  function join(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    setJoined({ name: String(fields.get('name')), groupId: String(fields.get('group')) });
  }

  return (
    <main>
      <header>
        <h1>Groupcast chat</h1>
        <output data-state={state}>{STATES[state]}</output>
      </header>
      <form onSubmit={join}>
        <input name="name" aria-label="Your name" placeholder="Your name" required maxLength={50} />
        <input name="group" aria-label="Group" placeholder="Group" required maxLength={50} />
        <button type="submit">Join</button>
      </form>
      {joined && <ChatRoom key={joined.groupId} name={joined.name} groupId={joined.groupId} />}
    </main>
  );
}
