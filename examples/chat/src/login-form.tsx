/** Logs in with a plain form: the server sets a cookie, and the page is loaded again. */
export function LoginForm() {
  return (
    <main>
      <h1>Groupcast chat</h1>
      <form method="post" action="/login">
        <input
          name="name"
          aria-label="Name"
          placeholder="ann, bob, mo or any other"
          required
          maxLength={50}
        />
        <button type="submit">Log in</button>
      </form>
      <p>
        No password is needed: this login is for development. <b>ann</b> and <b>bob</b> are in the room team,
        and <b>mo</b> is the moderator.
      </p>
    </main>
  );
}
