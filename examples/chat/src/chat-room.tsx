import type { FormEvent, ReactNode } from 'react';
import type { Entry } from './entries.ts';
import { useChat } from './use-chat.ts';
import type { User } from './user.ts';

export function ChatRoom({ user, groupId }: { user: User; groupId: string }) {
  const { entries, alert, send, kick, ban } = useChat(groupId);

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const form = event.currentTarget;
    void send(String(new FormData(form).get('text')));
    form.reset();
  }

  return (
    <section aria-label={groupId}>
      <ol role="log">
        {entries.map((entry) => (
          <Line key={entry.key} entry={entry}>
            {user.isModerator && entry.uid !== undefined && entry.uid !== user.uid && (
              <Moderation uid={entry.uid} kick={kick} ban={ban} />
            )}
          </Line>
        ))}
      </ol>
      {alert && <p role="alert">{alert}</p>}
      <form onSubmit={submit}>
        <input name="text" aria-label="Message" placeholder="Message" required maxLength={1_000} />
        <button type="submit">Send</button>
      </form>
    </section>
  );
}

function Line({ entry, children }: { entry: Entry; children: ReactNode }) {
  const { kind, uid, text, at } = entry;
  if (kind === 'gap') return <li className="gap">Messages may be missing here.</li>;
  return (
    <li>
      <b>{uid ?? 'server'}</b>{' '}
      <time dateTime={new Date(at).toISOString()}>{new Date(at).toLocaleTimeString()}</time> {children}
      <p>{text}</p>
    </li>
  );
}

interface ModerationProps {
  readonly uid: string;
  readonly kick: (uid: string) => void;
  readonly ban: (uid: string) => void;
}

/** The buttons of a moderator. The gateway checks the permission, too. */
function Moderation({ uid, kick, ban }: ModerationProps) {
  return (
    <>
      <button type="button" onClick={() => kick(uid)}>
        Kick {uid}
      </button>
      <button type="button" onClick={() => ban(uid)}>
        Ban {uid}
      </button>
    </>
  );
}
