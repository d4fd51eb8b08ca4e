/** Private rooms and their members. An application has them in its database. */
const ROOMS: readonly { readonly name: string; readonly members: readonly string[] }[] = [
  { name: 'team', members: ['ann', 'bob', 'mo'] },
  { name: 'board', members: ['ann', 'mo'] },
];

const MODERATORS: readonly string[] = ['mo'];

/** Names that this example accepts, all without a password. */
const NAME = /^[\p{L}\p{N}_.-]{1,50}$/u;

/** A user as the page needs it. */
export interface User {
  /** Identifies the user at the gateway. Here it is also the name that others see. */
  readonly uid: string;
  /** Private rooms that this user may join. */
  readonly rooms: readonly string[];
  readonly isModerator: boolean;
}

export function isName(name: string): boolean {
  return NAME.test(name);
}

export function userOf(uid: string): User {
  const rooms = ROOMS.filter(({ members }) => members.includes(uid)).map(({ name }) => name);
  return { uid, rooms, isModerator: MODERATORS.includes(uid) };
}
