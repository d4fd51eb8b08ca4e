import { type FormEvent, useState } from 'react';
import { ChatRoom } from './chat-room.tsx';
import { useConnectionState } from './client.ts';
import type { User } from './user.ts';

const STATES = {
  connecting: 'Connecting …',
  open: 'Connected',
  waiting: 'Offline. Trying again soon.',
  suspended: 'Paused while this page is away',
  closed: 'Closed by the gateway',
};

export function App({ user }: { user: User }) {
  const state = useConnectionState();
  const [joined, setJoined] = useState({ groupId: '', count: 0 });

  function join(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const groupId = String(new FormData(event.currentTarget).get('group'));
    setJoined(({ count }) => ({ groupId, count: count + 1 }));
  }

  return (
    <main>
      <header>
        <h1>Groupcast chat</h1>
        <output data-state={state}>{STATES[state]}</output>
        <form method="post" action="/logout">
          <button type="submit">Log out {user.uid}</button>
        </form>
      </header>
      <form onSubmit={join}>
        <input name="group" aria-label="Group" placeholder="Group" list="groups" required maxLength={100} />
        <datalist id="groups">
          {['public:lobby', ...user.rooms.map((name) => `room:${name}`)].map((groupId) => (
            <option key={groupId} value={groupId} />
          ))}
        </datalist>
        <button type="submit">Join</button>
      </form>
      {joined.count > 0 && <ChatRoom key={joined.count} user={user} groupId={joined.groupId} />}
    </main>
  );
}
