/** The user who is logged in. */
export interface User {
  readonly uid: string;
  /** Private rooms that this user may join. */
  readonly rooms: readonly string[];
  readonly isModerator: boolean;
}

/** Asks the server of the page who is logged in. */
export async function loadUser(): Promise<User | null> {
  const response = await fetch('/user');
  return response.ok ? response.json() : null;
}
